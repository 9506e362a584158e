#!/bin/sh
# An independent validator takes our schemas for what they are, and agrees about our cases.
lathe=$PWD/${BUILD:-build}/lathe
python3 -c 'import jsonschema, yaml' 2>/dev/null || { echo "python3-jsonschema or python3-yaml is missing"; exit 77; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
for kind in machine board ns16550a; do
    "$lathe" schema $kind > "$dir/$kind.2020.json" || exit 1
    "$lathe" schema $kind --draft 7 > "$dir/$kind.7.json" || exit 1
done
python3 - "$dir" <<'END'
import json, sys, warnings, yaml
warnings.simplefilter("ignore")
import jsonschema
folder, failed = sys.argv[1], 0

def is_valid(schema, file):
    with open(file) as f:
        return not list(schema.iter_errors(yaml.safe_load(f)))

for draft, Validator in (("2020", jsonschema.Draft202012Validator), ("7", jsonschema.Draft7Validator)):
    schemas = {}
    for kind in ("machine", "board", "ns16550a"):
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
sys.exit(failed)
END
