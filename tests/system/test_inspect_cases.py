"""Outside cases through the real program's inspect commands, as an outside suite would ask them."""
import json
import subprocess
import sys
from decimal import Decimal, InvalidOperation

from magpie_system import MAGPIE, SystemTest, main, shared


def cases(name):
    folder = shared()
    if folder is None or not (folder / "cases" / name / "cases.jsonl").exists():
        return None
    return [json.loads(line) for line in (folder / "cases" / name / "cases.jsonl").read_text().splitlines()]


def same_decimal(a, b):
    try:
        return (a is None and b is None) or Decimal(a) == Decimal(b)
    except (InvalidOperation, TypeError):
        return False


class InspectCases(SystemTest):
    def ask(self, part, questions, *flags):
        lines = "".join(json.dumps(q) + "\n" for q in questions)
        done = subprocess.run([MAGPIE, "inspect", part, *flags], input=lines, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr[-500:])
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([a["id"] for a in answers], [q["id"] for q in questions])
        return answers

    def run_cases(self, name, right, *flags):
        known = cases(name)
        if known is None:
            self.skipTest(f"the outside cases for {name} are not here; set MAGPIE_SHARED")
        answers = self.ask(name, [{"id": c["id"], **c["input"]} for c in known], *flags)
        wrong = [(c["id"], c["expect"], {k: a.get(k) for k in [*c["expect"], "error"]}) for c, a in zip(known, answers) if not right(c["expect"], a)]
        self.assertEqual(wrong[:10], [], f"{len(wrong)} of {len(known)} wrong")
        print(f"{name}: {len(known)} cases", file=sys.stderr)

    def test_url(self):
        def right(expect, answer):
            if expect.get("error"):
                return "error" in answer and "href" not in answer
            return all(answer.get(k) == v for k, v in expect.items())
        self.run_cases("url", right)

    def test_domain(self):
        def a_label(name):
            return name and name.encode("idna").decode()
        self.run_cases("domain", lambda expect, answer: a_label(answer["registrable"]) == a_label(expect["registrable"]))

    def test_robots(self):
        def right(expect, answer):
            return all(answer.get(k) == v for k, v in expect.items())
        self.run_cases("robots", right, "--agent", "magpie")

    def test_price(self):
        def right(expect, answer):
            if "amount" in expect and not same_decimal(expect["amount"], answer.get("amount")):
                return False
            codes = expect.get("currency_any_of")
            if codes is None:
                return "currency" not in expect or answer.get("currency") == expect["currency"]
            if not codes:
                return answer.get("currency") is None
            return answer.get("currency") in codes or (answer.get("currency") is None and len(codes) > 2)
        self.run_cases("price", right)

    def test_sitemap(self):
        def right(expect, answer):
            if expect.get("error"):
                return "error" in answer or not answer.get("urls")
            if "error" in answer:
                return False
            locs = [u["loc"] for u in answer["urls"]]
            kind = "index" if answer["kind"] == "index" else "list"
            return (expect.get("kind", kind) == kind and expect.get("n", len(locs)) == len(locs)
                    and all(loc in locs for loc in expect.get("locs", [])))
        self.run_cases("sitemap", right)

    def test_a_bad_line_is_an_answer_and_the_rest_goes_on(self):
        done = subprocess.run([MAGPIE, "inspect", "url"], input='nonsense\n{"id":2,"url":"http://A/"}\n', capture_output=True, text=True)
        first, second = map(json.loads, done.stdout.splitlines())
        self.assertIn("error", first)
        self.assertEqual(second["href"], "http://a/")
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    main()
