"""Checks an audit directory without a line of the service: python3 verify_chain.py DIR. Exit 0, 2 (broken), 3 (open intents)."""
import hashlib, json, os, re, sys

def canonical(value):  # RFC 8785 for what records hold: texts, integers, booleans, lists, objects with ASCII names
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

def check(line):  # one record, byte for byte, and that it continues the one before it
    global previous, chain, seq
    text = line.decode("utf-8")
    record = json.loads(text)
    unsealed = canonical({name: value for name, value in record.items() if name != "hash"})
    assert text == canonical(record) + "\n" and hashlib.sha256(unsealed.encode()).hexdigest() == record["hash"], "changed"
    begins = record["kind"] == "start" and record["seq"] == 1 and record["chain"] not in chains
    assert record["previous"] == previous, "previous"
    assert record["seq"] == seq + 1 if record["chain"] == chain else begins, "seq"
    previous, chain, seq = record["hash"], record["chain"], record["seq"]
    chains.add(chain)
    intents.update([record["id"]] if record["kind"] == "intent" else [])
    intents.difference_update([record["intent"]] if record["kind"] in ("outcome", "recovered") else [])

RECORDS = r"audit-(?!0+\.)(\d{6}|[1-9]\d{6,14})\.jsonl"
previous, chain, seq, chains, intents, place = "0" * 64, None, 0, set(), set(), ""
names = sorted(os.listdir(sys.argv[1]), key=lambda name: (len(name), name))
try:
    for path in [os.path.join(sys.argv[1], name) for name in names if re.fullmatch(RECORDS, name)]:
        for number, line in enumerate(open(path, "rb"), 1):
            place = f"{path} line {number}: "
            check(line)
    place = "foreign: "
    assert not [name for name in names if not re.fullmatch(RECORDS + r"((\.\d+)?\.torn)?|\.lock-.*|lost\+found", name)]
except (AssertionError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
    sys.exit(print("broken:", place, repr(error)) or 2)
print("head", previous)
sys.exit(3 if intents else 0)
