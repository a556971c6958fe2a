"""Draws the asset graph as Mermaid: `python docs/asset_graph.py` puts it into README.md and asset_graph.md.

It is drawn from what Dagster loads; a test holds both pages against that.
"""

from __future__ import annotations

import re
from pathlib import Path

from leadscore_v6.definitions import build_defs

PAGES = (Path(__file__).with_suffix(".md"), Path(__file__).parents[1] / "README.md")
PICTURE = re.compile(r"(?<=```mermaid\n).*?(?=\n```)", re.DOTALL)
TITLES = {
    "snapshots": "Snapshots: one table per date",
    "leads": "CRM",
    "vintages": "All snapshots together",
    "training_set": "Training set: one table per version",
    "model": "Model: one folder per version",
    "shadow": "Shadow scoring: day by day",
    "experiment": "Experiment: the model's queue against today's",
    "production": "Production: day by day, by the champion",
}


def mermaid() -> str:
    """The graph: a box per asset, a frame per group, the input files and the reader at the ends."""
    graph = build_defs().resolve_asset_graph()
    nodes = {key.to_user_string(): graph.get(key) for key in graph.get_all_asset_keys()}
    lines = ["flowchart LR"]
    for group, title in TITLES.items():
        lines.append(f'  subgraph {group}["{title}"]')
        lines.extend(
            _box(name, node.description, len(node.check_keys), partitioned=node.partitions_def is not None)
            for name, node in sorted(nodes.items(), key=lambda item: (_step(item[1].description), item[0]))
            if node.group_name == group
        )
        lines.append("  end")
    lines += ['  feed(["RIARepDataFeed_YYYYMMDD.csv"]) --> snapshot_reps_raw', '  extract(["Lead.csv"]) --> crm_leads']
    for name, node in sorted(nodes.items(), key=lambda item: (_step(item[1].description), item[0])):
        lines.extend(f"  {parent.to_user_string()} --> {name}" for parent in sorted(node.parent_keys))
    lines.append('  shadow_scoring --> readers(["scores, people"])')
    return "\n".join(lines)


def _box(name: str, description: str, gates: int, *, partitioned: bool) -> str:
    label = f'"{name}<br/>step {_step(description)} · {gates} gate{"s" if gates != 1 else ""}"'
    return f"    {name}{f'[[{label}]]' if partitioned else f'[{label}]'}"


def _step(description: str) -> str:
    found = re.match(r"Step ([\d.]+)\. ", description)
    assert found is not None, description
    return found[1]


if __name__ == "__main__":
    picture = mermaid()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        page.write_text(PICTURE.sub(lambda _: picture, text), encoding="utf-8")
