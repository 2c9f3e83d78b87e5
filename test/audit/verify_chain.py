"""Checks an audit directory without a line of the service: python3 verify_chain.py DIR. Exit 0, 2 (broken), 3 (open intents)."""
import hashlib, json, os, re, sys

def refuse(reason):
    print("broken:", reason)
    sys.exit(2)

def canonical(value):  # RFC 8785 for what records hold: texts, integers, booleans, lists, objects with ASCII names
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

names = sorted(os.listdir(sys.argv[1]))
files = [n for n in names if re.fullmatch(r"audit-\d{6,15}\.jsonl", n)]
previous, chain, seq, chains, intents = "0" * 64, None, 0, set(), set()
for name in sorted(files, key=lambda n: int(n[6:-6])):
    with open(os.path.join(sys.argv[1], name), "rb") as file:
        for number, line in enumerate(file, 1):
            where = f"{name} line {number}"
            try:
                text = line.decode("utf-8")
                record = json.loads(text)
                digest = hashlib.sha256(canonical({k: v for k, v in record.items() if k != "hash"}).encode()).hexdigest()
                whole = text == canonical(record) + "\n" and digest == record["hash"]
                if not whole or record["previous"] != previous:
                    refuse(where)
                begins = record["kind"] == "start" and record["seq"] == 1 and record["chain"] not in chains
                if not (record["seq"] == seq + 1 if record["chain"] == chain else begins):
                    refuse(where + " seq")
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                refuse(f"{where} {error}")
            previous, chain, seq = record["hash"], record["chain"], record["seq"]
            chains.add(chain)
            if record["kind"] == "intent":
                intents.add(record["id"])
            elif record["kind"] in ("outcome", "recovered"):
                intents.discard(record["intent"])
aside = r"audit-\d{6,15}\.jsonl(\.\d+)?\.torn|\.lock-.*|lost\+found"
for name in names:
    if name not in files and not re.fullmatch(aside, name):
        refuse("foreign file " + name)
print("head", previous)
sys.exit(3 if intents else 0)
