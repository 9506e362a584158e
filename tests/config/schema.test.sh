#!/bin/sh
# An independent validator takes our schemas for what they are, and agrees about our cases.
lathe=$PWD/${BUILD:-build}/lathe
python3 -c 'import jsonschema, yaml' 2>/dev/null || { echo "python3-jsonschema or python3-yaml is missing"; exit 77; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
kinds="machine board lock $("$lathe" list devices | cut -d ' ' -f 1 | tr '\n' ' ')"
for kind in $kinds; do
    "$lathe" schema $kind > "$dir/$kind.2020.json" || exit 1
    "$lathe" schema $kind --draft 7 > "$dir/$kind.7.json" || exit 1
done
for case in tests/config/cases/*.yaml; do     # what each ends with, and the codes that are said of it
    # Those with arguments are not what the file says, and a folder of their own has other devices.
    grep -q '^# args:' "$case" || printf '%s %s\n' "$case" "$(grep -o 'error\[E[0-9]*\]' "${case%.yaml}.err" | tr '\n' ' ')"
done >"$dir/cases"
python3 - "$dir" $kinds <<'END'
import json, sys, warnings, yaml
warnings.simplefilter("ignore")
import jsonschema
folder, failed = sys.argv[1], 0

def is_valid(schema, file):
    with open(file) as f:
        return not list(schema.iter_errors(yaml.safe_load(f)))

for draft, Validator in (("2020", jsonschema.Draft202012Validator), ("7", jsonschema.Draft7Validator)):
    schemas = {}
    for kind in sys.argv[2:]:
        with open(f"{folder}/{kind}.{draft}.json") as f:
            schema = json.load(f)
        Validator.check_schema(schema)
        schemas[kind] = Validator(schema)
    cases = "tests/config/cases/"
    expected = [
        ("board", "machines/riscv-virt.yaml", True),
        ("machine", "examples/debian-riscv64.yaml", True),
        ("machine", cases + "E231-aio-direct.yaml", True),        # a rule across keys
        ("board", cases + "boards/overlap.yaml", True),
        ("machine", cases + "E102-unknown-key.yaml", False),
        ("machine", cases + "E107-type.yaml", False),
        ("machine", cases + "E109-not-allowed.yaml", False),
        ("machine", cases + "E110-unit.yaml", False),
        ("machine", cases + "E112-form.yaml", False),
        ("machine", cases + "E215-unknown-device.yaml", False),   # the choice by type
    ]
    for kind, file, valid in expected:
        if is_valid(schemas[kind], file) != valid:
            print(f"draft {draft}: {file} is {'not valid' if valid else 'valid'}")
            failed = 1

    # What the schema alone can say, it says to others too; and nothing that we do not say.
    BY_SCHEMA = {"E102", "E107", "E108", "E109", "E110", "E111", "E112"}
    # Said by the loader of what no schema can see: what a device's drive is.
    BEYOND = {"E109-drive-device"}
    with open(f"{folder}/cases") as lines:
        for line in lines:
            file, *codes = line.split()
            codes = {code[6:-1] for code in codes}
            name = file.split("/")[-1][:-5]
            try:
                with open(file) as f:
                    tree = yaml.safe_load(f)
            except yaml.YAMLError:
                continue                # not YAML, or not ours
            if codes & {"E104", "E105", "E113", "E120", "E121", "E122"} or not isinstance(tree, dict):
                continue                # read differently by others, not read to its end, of another kind, or with ${...}
            wrong = [error.json_path + ": " + error.message for error in schemas["machine"].iter_errors(tree)]
            if codes & BY_SCHEMA and not wrong and name not in BEYOND:
                print(f"draft {draft}: {file} is valid, and we say {sorted(codes)}")
                failed = 1
            if wrong and not codes & (BY_SCHEMA | {"E106", "E116", "E201", "E205", "E215"}):
                print(f"draft {draft}: {file} is not valid, and we say {sorted(codes)}: {wrong}")
                failed = 1
sys.exit(failed)
END
