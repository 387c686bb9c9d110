"""Writes the trained weights as a GGUF for llama.cpp: F32 first, then quantized to Q8_0.

Command: python convert.py --weights FILE --tokenizer FILE --out starter-chat.gguf
"""

from __future__ import annotations

import argparse
import ctypes
import json
from pathlib import Path

import gguf
import layout
import llama_cpp
import numpy as np
import prompting
from safetensors import safe_open

DESCRIPTION = (
    "Demonstration model, trained from nothing on invented text: answers from given passages by copying one sentence, cites its "
    "passage as [n], or says that the documents don't say. Not for real use."
)
PAD, START, END = 0, 1, 2  # <|endoftext|>, <|im_start|>, <|im_end|>


def tokens_seen(notes: dict) -> int:
    """Training tokens of a run and of those that it went on from."""
    return notes["tokens"] + (tokens_seen(notes["before"]) if notes.get("before") else 0)


def write(weights: Path, tokenizer: Path, out: Path) -> None:
    with safe_open(str(weights), "np") as f:
        meta = f.metadata()
        t = {k: f.get_tensor(k).astype(np.float32) for k in f.keys()}  # noqa: SIM118
    c, notes = json.loads(meta["config"]), json.loads(meta["notes"])
    tok = json.loads(tokenizer.read_text(encoding="utf-8"))
    w = gguf.GGUFWriter(out, "llama")
    w.add_type("model")
    w.add_name("starter-chat")
    w.add_description(DESCRIPTION)
    w.add_version(f"{tokens_seen(notes)} tokens")
    w.add_license("Apache-2.0")
    w.add_size_label(f"{sum(x.size for x in t.values()) / 1e6:.1f}M")
    w.add_languages(["en"])
    w.add_context_length(c["context"])
    w.add_embedding_length(c["width"])
    w.add_block_count(c["layers"])
    w.add_feed_forward_length(c["hidden"])
    w.add_head_count(c["heads"])
    w.add_head_count_kv(c["heads"])
    w.add_layer_norm_rms_eps(c["epsilon"])
    w.add_rope_freq_base(c["theta"])
    w.add_rope_dimension_count(c["width"] // c["heads"])
    w.add_vocab_size(c["vocab"])
    w.add_file_type(gguf.LlamaFileType.ALL_F32)
    tokens = [x for x, _ in sorted(tok["model"]["vocab"].items(), key=lambda item: item[1])]
    special = {a["id"] for a in tok["added_tokens"]}
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("smollm")  # digits alone, then the GPT-2 pattern
    w.add_token_list(tokens)
    w.add_token_types([gguf.TokenType.CONTROL if i in special else gguf.TokenType.NORMAL for i in range(len(tokens))])
    w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in tok["model"]["merges"]])
    w.add_bos_token_id(PAD)
    w.add_eos_token_id(END)
    w.add_pad_token_id(PAD)
    w.add_add_bos_token(False)
    w.add_add_space_prefix(False)
    w.add_chat_template(prompting.CHAT_TEMPLATE)
    for ours, theirs in layout.names(c["layers"]).items():
        w.add_tensor(theirs, layout.interleaved(t[ours], c["heads"]) if layout.is_turned(ours) else t[ours])
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def quantize(source: Path, out: Path, threads: int) -> None:
    p = llama_cpp.llama_model_quantize_default_params()
    p.ftype, p.nthread = llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0, threads
    if llama_cpp.llama_model_quantize(str(source).encode(), str(out).encode(), ctypes.byref(p)) != 0:
        out.unlink(missing_ok=True)
        raise SystemExit(f"{source}: llama.cpp could not quantize it")


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--weights", type=Path, required=True)
    ap.add_argument("--tokenizer", type=Path, required=True)
    ap.add_argument("--out", type=Path, required=True)
    ap.add_argument("--threads", type=int, default=2)
    args = ap.parse_args()
    full = args.out.with_suffix(".f32.gguf")
    write(args.weights, args.tokenizer, full)
    quantize(full, args.out, args.threads)
    full.unlink()
    print(args.out, args.out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
