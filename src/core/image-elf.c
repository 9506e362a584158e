/* ELF files: System V ABI, chapters 4 and 5. */
#include "core/image-impl.h"

#include <elf.h>
#include <string.h>

enum { MAX_HEADERS = 4096, MAX_SYMBOLS = 1 << 20 };
enum { MAX_STRINGS = 64 << 20 };

/* Headers of both widths and byte orders, as those of ELF64 in the host's order. */
typedef struct Elf {
    Image *image;
    bool wide, big;
    Elf64_Ehdr header;
} Elf;

static uint16_t get16(const Elf *elf, uint16_t value)
{
    return elf->big ? GUINT16_FROM_BE(value) : GUINT16_FROM_LE(value);
}

static uint32_t get32(const Elf *elf, uint32_t value)
{
    return elf->big ? GUINT32_FROM_BE(value) : GUINT32_FROM_LE(value);
}

static uint64_t get64(const Elf *elf, uint64_t value)
{
    return elf->big ? GUINT64_FROM_BE(value) : GUINT64_FROM_LE(value);
}

/* The fields of a header that we use; an ELF32 header has them with narrower types. */
#define TAKE_EHDR(raw, width)                                                                      \
    do {                                                                                           \
        elf->header.e_machine = get16(elf, (raw).e_machine);                                       \
        elf->header.e_entry = get##width(elf, (raw).e_entry);                                      \
        elf->header.e_phoff = get##width(elf, (raw).e_phoff);                                      \
        elf->header.e_shoff = get##width(elf, (raw).e_shoff);                                      \
        elf->header.e_phnum = get16(elf, (raw).e_phnum);                                           \
        elf->header.e_shnum = get16(elf, (raw).e_shnum);                                           \
    } while (0)
#define TAKE_PHDR(out, raw, width)                                                                 \
    do {                                                                                           \
        (out)->p_type = get32(elf, (raw).p_type);                                                  \
        (out)->p_offset = get##width(elf, (raw).p_offset);                                         \
        (out)->p_vaddr = get##width(elf, (raw).p_vaddr);                                           \
        (out)->p_paddr = get##width(elf, (raw).p_paddr);                                           \
        (out)->p_filesz = get##width(elf, (raw).p_filesz);                                         \
        (out)->p_memsz = get##width(elf, (raw).p_memsz);                                           \
    } while (0)
#define TAKE_SHDR(out, raw, width)                                                                 \
    do {                                                                                           \
        (out)->sh_type = get32(elf, (raw).sh_type);                                                \
        (out)->sh_link = get32(elf, (raw).sh_link);                                                \
        (out)->sh_offset = get##width(elf, (raw).sh_offset);                                       \
        (out)->sh_size = get##width(elf, (raw).sh_size);                                           \
    } while (0)
#define TAKE_SYM(out, raw, width)                                                                  \
    do {                                                                                           \
        (out)->st_name = get32(elf, (raw).st_name);                                                \
        (out)->st_info = (raw).st_info;                                                            \
        (out)->st_value = get##width(elf, (raw).st_value);                                         \
        (out)->st_size = get##width(elf, (raw).st_size);                                           \
    } while (0)

static bool read_header(Elf *elf)
{
    Elf64_Ehdr wide;
    Elf32_Ehdr narrow;

    if (elf->wide) {
        if (!image_read(elf->image, 0, &wide, sizeof(wide))) {
            return false;
        }
        TAKE_EHDR(wide, 64);
    } else {
        if (!image_read(elf->image, 0, &narrow, sizeof(narrow))) {
            return false;
        }
        TAKE_EHDR(narrow, 32);
    }
    return true;
}

static bool read_program_header(const Elf *elf, unsigned index, Elf64_Phdr *out)
{
    Elf64_Phdr wide;
    Elf32_Phdr narrow;

    if (elf->wide) {
        if (!image_read(
                elf->image, elf->header.e_phoff + index * sizeof(wide), &wide, sizeof(wide))) {
            return false;
        }
        TAKE_PHDR(out, wide, 64);
    } else {
        if (!image_read(elf->image, elf->header.e_phoff + index * sizeof(narrow), &narrow,
                sizeof(narrow))) {
            return false;
        }
        TAKE_PHDR(out, narrow, 32);
    }
    return true;
}

static bool read_section_header(const Elf *elf, unsigned index, Elf64_Shdr *out)
{
    Elf64_Shdr wide;
    Elf32_Shdr narrow;

    if (elf->wide) {
        if (!image_read(
                elf->image, elf->header.e_shoff + index * sizeof(wide), &wide, sizeof(wide))) {
            return false;
        }
        TAKE_SHDR(out, wide, 64);
    } else {
        if (!image_read(elf->image, elf->header.e_shoff + index * sizeof(narrow), &narrow,
                sizeof(narrow))) {
            return false;
        }
        TAKE_SHDR(out, narrow, 32);
    }
    return true;
}

/* The same machine with another width or byte order. */
static const char *named_with_form(const char *name, const Elf *elf)
{
    g_autofree char *text = g_strdup_printf(
        "%s, %u-bit, %s-endian", name, elf->wide ? 64 : 32, elf->big ? "big" : "little");

    return g_intern_string(text);
}

static const char *machine_name(const Elf *elf)
{
    static const struct {
        uint16_t machine;
        bool wide, big;
        const char *name;
    } names[] = {
        { EM_RISCV, true, false, "riscv64" },
        { EM_RISCV, false, false, "riscv32" },
        { EM_AARCH64, true, false, "aarch64" },
        { EM_ARM, false, false, "arm" },
        { EM_X86_64, true, false, "x86_64" },
        { EM_386, false, false, "i386" },
        { EM_PPC64, true, true, "ppc64" },
        { EM_S390, true, true, "s390x" },
        { EM_MIPS, false, true, "mips" },
        { EM_MIPS, true, true, "mips64" },
        { EM_SPARCV9, true, true, "sparc64" },
        { EM_68K, false, true, "m68k" },
    };

    const char *other = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (names[i].machine != elf->header.e_machine) {
            continue;
        }
        if (names[i].wide == elf->wide && names[i].big == elf->big) {
            return names[i].name;
        }
        other = other ? other : names[i].name;
    }
    return other ? named_with_form(other, elf) : "some other machine";
}

/* ---- segments ---- */

/* The entry is virtual; the segment that has it says where that is in memory. */
static void find_entry(Elf *elf, const Elf64_Phdr *program)
{
    uint64_t skip = elf->header.e_entry - program->p_vaddr;

    if (skip < program->p_memsz) {
        elf->image->entry = program->p_paddr + skip;
    }
}

static bool take_segment(Elf *elf, const Elf64_Phdr *program, GError **error)
{
    Image *image = elf->image;
    ImageSegment segment = {
        .at = program->p_paddr,
        .size = program->p_memsz,
        .offset = program->p_offset,
        .length = program->p_filesz,
    };

    if (program->p_type != PT_LOAD || program->p_memsz == 0) {
        return true;
    }
    if (segment.length > segment.size || segment.at + (segment.size - 1) < segment.at) {
        return image_bad(image, error, "a segment of its program header cannot be");
    }
    if (segment.offset > image->length || segment.length > image->length - segment.offset) {
        return image_truncated(image, error, "a segment reaches beyond its end");
    }
    find_entry(elf, program);
    image_add_segment(image, segment);
    return true;
}

static bool take_segments(Elf *elf, GError **error)
{
    elf->image->entry = elf->header.e_entry;
    if (elf->header.e_phnum > MAX_HEADERS) {
        return image_bad(elf->image, error, "it has too many program headers");
    }
    for (unsigned i = 0; i < elf->header.e_phnum; i++) {
        Elf64_Phdr program;

        if (!read_program_header(elf, i, &program)) {
            return image_truncated(elf->image, error, "its program headers are beyond its end");
        }
        if (!take_segment(elf, &program, error)) {
            return false;
        }
    }
    if (elf->image->segments->len == 0) {
        return image_bad(elf->image, error, "nothing in it is to be loaded (an object file?)");
    }
    return true;
}

/* ---- symbols: for people, so what is wrong with them is passed over ---- */

static int compare_symbols(const void *left, const void *right)
{
    const ImageSymbol *a = left, *b = right;

    return a->at < b->at ? -1 : a->at > b->at;
}

static bool read_symbol(const Elf *elf, const Elf64_Shdr *table, unsigned index, Elf64_Sym *out)
{
    Elf64_Sym wide;
    Elf32_Sym narrow;

    if (elf->wide) {
        if (!image_read(elf->image, table->sh_offset + index * sizeof(wide), &wide, sizeof(wide))) {
            return false;
        }
        TAKE_SYM(out, wide, 64);
    } else {
        if (!image_read(
                elf->image, table->sh_offset + index * sizeof(narrow), &narrow, sizeof(narrow))) {
            return false;
        }
        TAKE_SYM(out, narrow, 32);
    }
    return true;
}

static void take_symbol(const Elf *elf, const Elf64_Sym *symbol, const GByteArray *strings)
{
    unsigned type = ELF64_ST_TYPE(symbol->st_info);
    ImageSymbol taken = { .at = symbol->st_value, .size = symbol->st_size };

    if ((type != STT_FUNC && type != STT_NOTYPE) || symbol->st_name >= strings->len) {
        return;
    }
    taken.name = g_strdup((const char *)strings->data + symbol->st_name);
    /* RISC-V's mapping symbols ($x, $d) and local labels name nothing. */
    if (taken.name[0] == '\0' || taken.name[0] == '$' || taken.name[0] == '.') {
        g_free(taken.name);
        return;
    }
    g_array_append_val(elf->image->symbols, taken);
}

static void take_symbol_table(const Elf *elf, const Elf64_Shdr *table)
{
    unsigned entry = elf->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
    g_autoptr(GByteArray) strings = g_byte_array_new();
    Elf64_Shdr names;

    if (!read_section_header(elf, table->sh_link, &names) || names.sh_size > MAX_STRINGS ||
        names.sh_offset > elf->image->length ||
        names.sh_size > elf->image->length - names.sh_offset) {
        return;
    }
    g_byte_array_set_size(strings, names.sh_size + 1);
    if (!image_read(elf->image, names.sh_offset, strings->data, names.sh_size)) {
        return;
    }
    strings->data[names.sh_size] = '\0';
    for (unsigned i = 0; i < MIN(table->sh_size / entry, MAX_SYMBOLS); i++) {
        Elf64_Sym symbol;

        if (!read_symbol(elf, table, i, &symbol)) {
            return;
        }
        take_symbol(elf, &symbol, strings);
    }
}

static void take_symbols(const Elf *elf)
{
    for (unsigned i = 0; i < MIN(elf->header.e_shnum, MAX_HEADERS); i++) {
        Elf64_Shdr section;

        if (read_section_header(elf, i, &section) && section.sh_type == SHT_SYMTAB) {
            take_symbol_table(elf, &section);
        }
    }
    g_array_sort(elf->image->symbols, compare_symbols);
}

bool image_parse_elf(Image *image, GError **error)
{
    Elf elf = { .image = image };
    uint8_t ident[EI_NIDENT];

    if (!image_read(image, 0, ident, sizeof(ident))) {
        return image_truncated(image, error, "not even its ELF header is there");
    }
    elf.wide = ident[EI_CLASS] == ELFCLASS64;
    elf.big = ident[EI_DATA] == ELFDATA2MSB;
    if (!read_header(&elf)) {
        return image_truncated(image, error, "not even its ELF header is there");
    }
    image->kind = IMAGE_ELF;
    image->arch = machine_name(&elf);
    if (!take_segments(&elf, error)) {
        return false;
    }
    take_symbols(&elf);
    return true;
}
