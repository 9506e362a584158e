/*
 * Every kind of report: E(ID, number, slug, explanation). Included many times, without a guard.
 *
 *   E1xx  the text, and its form        exit code 2
 *   E2xx  a machine                     exit code 2
 *   E3xx  a board                       exit code 2
 *   E4xx  what this host cannot do      exit code 3
 *   E5xx  kernels, firmware, images     exit code 2
 *   E6xx  a device refuses a value      exit code 2
 *   E7xx  a command line of QEMU        exit code 2
 *
 * A number keeps its meaning for ever.
 */
E(UNREADABLE, 100, "unreadable", "the file cannot be read")
E(YAML, 101, "yaml", "the text is not YAML")
E(UNKNOWN_KEY, 102, "unknown-key", "a key that no schema has at this place")
E(DUPLICATE_KEY, 103, "duplicate-key", "the same key twice in one map")
E(AMBIGUOUS, 104, "ambiguous", "a plain scalar that YAML 1.1 and 1.2 read differently: quote it")
E(LIMIT, 105, "limit", "deeper, longer or more often repeated than any real file")
E(UNSUPPORTED, 106, "unsupported",
    "YAML that lathe leaves out: tags, merge keys, several documents")
E(TYPE, 107, "type", "a value of another type than the schema asks for")
E(MISSING_KEY, 108, "missing-key", "a key that must be there is not")
E(NOT_ALLOWED, 109, "not-allowed", "not one of the words that are allowed here")
E(UNIT, 110, "unit", "a quantity without its unit, or with one that has two meanings")
E(RANGE, 111, "range", "a number or a list outside its limits")
E(FORM, 112, "form", "a text that does not have the form it must have")
E(KIND, 113, "kind", "the file does not say what it is, or is something else")
E(SET, 114, "set", "a --set that cannot be applied")
E(EXTENDS, 115, "extends", "files that extend each other in a circle, or too deep")
E(ALIAS, 116, "alias", "an alias of an anchor that is not there, or that contains itself")
E(SCHEMA, 117, "schema", "a schema that is not one: an unknown keyword, a wrong value")
E(OLD_NAME, 118, "old-name", "a key that has another name now: `lathe upgrade` writes it")
E(UNKNOWN_PARAM, 120, "unknown-param", "a ${name} that is not declared under params")
E(UNSET_PARAM, 121, "unset-param", "a parameter with neither default nor value")
E(PARAM_VALUE, 122, "param-value", "a value that a parameter's type does not allow")
E(UNKNOWN_PROFILE, 123, "unknown-profile", "a profile that the file does not have")

E(UNKNOWN_BOARD, 201, "unknown-board", "no board of this name or version")
E(UNKNOWN_OPTION, 202, "unknown-option", "the board has no such option, or not this choice")
E(UNKNOWN_MODEL, 203, "unknown-model", "a CPU model or feature that is not there")
E(CPU_COUNT, 204, "cpu-count", "fewer than one CPU, or more than the board has")
E(MEMORY_SIZE, 205, "memory-size", "memory that the board cannot take")
E(DRIVE_SOURCE, 210, "drive-source", "a drive needs exactly one of file, image, size, block")
E(UNKNOWN_IMAGE, 211, "unknown-image", "a name that is not under images")
E(NO_SLOT, 212, "no-slot", "the board has no free slot for this")
E(UNKNOWN_SLOT, 213, "unknown-slot", "the board has no such slot, or not of this bus")
E(SLOT_TAKEN, 214, "slot-taken", "two things in one slot")
E(UNKNOWN_DEVICE, 215, "unknown-device", "no device type of this name")
E(FILE_MISSING, 220, "file-missing", "a file that is named here is not there")
E(LOCKED_IMAGE, 221, "locked-image", "a drive that would write to an image that others share")
E(NOT_PINNED, 222, "not-pinned", "an image that neither the file nor its lock pins by a digest")
E(LOCK, 223, "lock", "a lock that belongs to another file, or is not one")
E(AIO_DIRECT, 231, "aio-direct", "aio native works only with a cache mode that is direct")
E(FORMAT, 232, "format", "an image that does not have the format it is said to have")
E(DRIVE_SIZE, 233, "drive-size", "a disk of a size that cannot be used")
E(SHARED_BLOCK, 234, "shared-block", "two things want one block in ways that do not go together")
E(NOT_YET, 240, "not-yet", "part of the language that `run` cannot honour yet")
E(PORT_TAKEN, 241, "port-taken", "two forwards from one port of the host")

E(OVERLAP, 301, "overlap", "two things at one address")
E(MISPLACED, 302, "misplaced", "an address that is not aligned, or beyond the end")
E(UNKNOWN_LINE, 303, "unknown-line", "no such interrupt line")
E(DOUBLED_LINE, 304, "doubled-line", "two devices drive one interrupt line")
E(LOOSE_LINE, 305, "loose-line", "an interrupt that leads nowhere")
E(UNKNOWN_CLOCK, 306, "unknown-clock", "a clock that is not under clocks")
E(UNKNOWN_REFERENCE, 307, "unknown-reference", "a name of something that is not there")
E(CHANNEL_TAKEN, 308, "channel-taken", "two devices on one host channel")

E(NO_DIRECT, 401, "no-direct", "this file system cannot do O_DIRECT")
E(HOST_MEMORY, 402, "host-memory", "more memory than the host has")
E(IN_USE, 403, "in-use", "another process uses this file")
E(NO_PERMISSION, 404, "no-permission", "the host does not allow it")
E(HOST, 405, "host", "the host refused")
E(NOT_FETCHED, 406, "not-fetched", "an image that is not in the cache")
E(DISK_KEY, 407, "disk-key", "an encrypted image that its key does not open, or without one")

E(BAD_IMAGE, 501, "bad-image", "not a kernel or firmware that can be loaded")
E(TRUNCATED, 502, "truncated", "the file ends before it should")
E(TOO_BIG, 503, "too-big", "it does not fit into the guest's memory")
E(WRONG_ARCH, 504, "wrong-arch", "made for another kind of CPU")
E(NOTHING_TO_BOOT, 505, "nothing-to-boot", "neither kernel nor firmware")

E(DEVICE, 601, "device", "a device refuses the value of a property")

E(LEGACY_OPTION, 701, "legacy-option", "an option that QEMU does not have, or not like this")
E(LEGACY_FORM, 702, "legacy-form", "the text of an option, or of what it names, cannot be read")
E(LEGACY_VALUE, 703, "legacy-value", "a key that QEMU does not know here, or a value it refuses")
E(LEGACY_NAME, 704, "legacy-name", "a name that is not there, given twice, or no name")
E(LEGACY_IMAGE, 705, "legacy-image", "an image that QEMU could not open")
E(LEGACY_PLACE, 706, "legacy-place", "a drive or device that the machine has no place for")
