"""What is evaluated in the tests: a document, questions about it, and a spec."""

from core.evals.records import Criterion, Spec

TEXT = """# The tower

The tower has nine floors.

The gate closes at eight in the evening.
"""
QUESTIONS = """{"id": "q1", "input": "How many floors has the tower?", "target": "nine", "document": "tower.md", "page": 1}
{"id": "q2", "input": "When does the gate close?", "target": "eight", "document": "tower.md", "page": 1}
{"id": "q3", "input": "Who painted the roof?", "unanswerable": true}
"""
TEMPLATE = "{% for p in passages %}[{{ p.number }}] {{ p.text }}\n{% endfor %}\nQuestion: {{ question }}"
SPEC = Spec(
    name="towers",
    dataset="towers",
    collection="towers",
    prompts=("cite@1", "cite@2"),
    models=("fake",),
    include_quotes=True,
    passages=2,
    scorers=("contains", "citation_correct", "refusal", "groundedness", "latency"),
    criteria=(Criterion(metric="contains", variant="cite@1 / fake", at_least=0.0),),
)
