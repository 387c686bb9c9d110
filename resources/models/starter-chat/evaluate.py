"""Measures starter-chat through its GGUF: blind tests, real prose, both prompt versions.

Scores of an answerable question: `value` (the right value stands in the answer), `sentence` (the right sentence, word for
word), `cited` (right value and right [n]), `refused` (a false refusal), `invented` (neither a refusal nor a sentence of the
passages). Of the others: `refusal` (rightly refused). Shares come with a 95 % Wilson interval.

Command: python evaluate.py --gguf FILE --data FILE... [--plain] [--no-cite] [--kinds] [--wrong N]
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from pathlib import Path

import prompting
from llama_cpp import Llama


def rows_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def bare(answer: str) -> str:
    return re.sub(r"(\s*\[\d+\])+$", "", answer)


def interval(k: int, n: int) -> str:
    """k of n with its 95 % Wilson interval, in per cent."""
    z, p = 1.96, k / n
    mid, wide = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    low, high = (100 * (mid + s * wide) / (1 + z * z / n) for s in (-1, 1))
    return f"{k}/{n} = {100 * p:.1f} % ({low:.0f} to {high:.0f})"


def scores(row: dict, answer: str, cite: bool) -> dict[str, bool]:
    refused = answer == prompting.REFUSAL
    if not row["passage"]:
        return {"refusal": refused}
    value = re.search(r"(?<!\w)" + re.escape(row["value"]) + r"(?!\w)", answer, re.IGNORECASE) is not None
    number = answer.endswith(f" [{row['passage']}]") if cite else bare(answer) == answer
    return {
        "value": value,
        "sentence": bare(answer) == row["answer"],
        "cited" if cite else "value, uncited": value and number,
        "refused": refused,
        "invented": not refused and not any(bare(answer) in p for p in row["passages"]),
    }


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--gguf", required=True)
    ap.add_argument("--data", type=Path, nargs="+", required=True)
    ap.add_argument("--plain", action="store_true", help="passage numbers at the start of a passage only")
    ap.add_argument("--no-cite", action="store_true", help="the system text that asks for no citation")
    ap.add_argument("--kinds", action="store_true", help="also by kind")
    ap.add_argument("--wrong", type=int, default=0, help="show so many wrong answers")
    ap.add_argument("--count", type=int)
    ap.add_argument("--threads", type=int, default=2)
    args = ap.parse_args()
    system = prompting.SYSTEM_PLAIN if args.no_cite else prompting.SYSTEM_CITE
    model = Llama(args.gguf, n_ctx=1536, n_threads=args.threads, n_threads_batch=args.threads, verbose=False)
    for path in args.data:
        hits, totals, kinds, wrong, used = Counter(), Counter(), {}, [], 0
        rows, start = rows_of(path)[: args.count], time.monotonic()
        for row in rows:
            chat = prompting.messages(row["passages"], row["question"], system, not args.plain)
            reply = model.create_chat_completion(chat, temperature=0.0, max_tokens=120, repeat_penalty=1.0)
            answer, used = reply["choices"][0]["message"]["content"].strip(), used + reply["usage"]["total_tokens"]
            result = scores(row, answer, not args.no_cite)
            hits.update(k for k, v in result.items() if v)
            totals.update(list(result))
            good = result.get("refusal", result.get("cited", result.get("value, uncited")))
            kinds.setdefault(row["kind"], Counter()).update(["good", "all"] if good else ["all"])
            if not good:
                wrong.append(
                    {"question": row["question"], "right": row["answer"], "passage": row["passage"], "got": answer}
                )
        seconds = time.monotonic() - start
        print(f"{path.name}: {len(rows)} questions, {seconds:.1f} s, {used / seconds:.0f} tokens/s")
        for name, total in totals.items():
            print(f"  {name:15} {interval(hits[name], total)}")
        if args.kinds:
            print("  by kind:", {k: f"{c['good']}/{c['all']}" for k, c in sorted(kinds.items())})
        for item in wrong[: args.wrong]:
            print("   ", json.dumps(item, ensure_ascii=False))
    model.close()


if __name__ == "__main__":
    main()
