"""Alerts and dashboard: rules that Prometheus reads, and a page for every alert."""

import json
import re
import tempfile
import unittest
from pathlib import Path

import yaml

from chart import CHART, REPOSITORY, named, needs, of_kind, render, run

ALERTS = yaml.safe_load((CHART / "files/alerts.yaml").read_text())


def rules(objects):
    return of_kind(objects, "PrometheusRule")[0]["spec"]


def promtool(groups, *command):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.yaml"
        path.write_text(yaml.safe_dump(groups))
        return run("promtool", *command, str(path))


class Pages(unittest.TestCase):
    def test_every_alert_has_a_page_and_every_page_an_alert(self):
        alerts = {rule["alert"]: rule["annotations"]["runbook"] for group in ALERTS["groups"] for rule in group["rules"]}
        for alert, page in alerts.items():
            self.assertTrue((REPOSITORY / page).read_text().startswith(f"# {alert}\n"), page)
        pages = {f"docs/runbooks/{path.name}" for path in (REPOSITORY / "docs/runbooks").glob("*.md")}
        self.assertEqual(pages, {*alerts.values(), "docs/runbooks/README.md"})
        listed = (REPOSITORY / "docs/runbooks/README.md").read_text()
        for alert, page in alerts.items():
            self.assertIn(f"[{alert}]({Path(page).name})", listed)


@needs("helm", "promtool")
class Rules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.everything = render("--values", str(CHART / "tests/values/everything.yaml"))

    def test_prometheus_reads_the_alerts(self):
        done = promtool(rules(self.everything), "check", "rules")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        rendered = [rule["alert"] for group in rules(self.everything)["groups"] for rule in group["rules"]]
        self.assertEqual(rendered, [rule["alert"] for group in ALERTS["groups"] for rule in group["rules"]])

    def test_promtool_objects_to_what_is_no_rule(self):
        self.assertNotEqual(promtool({"groups": [{"name": "a", "rules": [{"alert": "A", "expr": "sum(("}]}]}, "check", "rules").returncode, 0)

    def test_links_lead_to_where_the_pages_are_served(self):
        for group in rules(self.everything)["groups"]:
            for rule in group["rules"]:
                page = Path(rule["annotations"]["runbook"]).name
                self.assertEqual(rule["annotations"]["runbook_url"], f"https://wiki.example.com/runbooks/{page}")
        without = render("--values", str(CHART / "tests/values/jaeger.yaml"), "--set", "prometheusRule.enabled=true")
        self.assertNotIn("runbook_url", json.dumps(rules(without)))

    def test_alerts_fire_when_they_should(self):
        """The ones that compare or divide, on series made for them."""
        def series(name, values):
            return {"series": name, "values": values}

        def fires(alert, at, labels):
            rule = next(rule for group in ALERTS["groups"] for rule in group["rules"] if rule["alert"] == alert)
            expected = {"exp_labels": {**labels, **rule["labels"]}, "exp_annotations": rule["annotations"]} if labels is not None else None
            return {"eval_time": at, "alertname": alert, "exp_alerts": [expected] if expected else []}

        def case(inputs, *checks):
            return {"interval": "1m", "input_series": inputs, "alert_rule_test": list(checks)}

        i = {"instance": "a"}
        cases = [
            case([series('otelcol_exporter_queue_size{instance="a"}', "80x20"), series('otelcol_exporter_queue_capacity{instance="a"}', "100x20")],
                 fires("TracetailorQueueFills", "10m", i)),
            case([series('otelcol_exporter_queue_size{instance="a"}', "60x20"), series('otelcol_exporter_queue_capacity{instance="a"}', "100x20")],
                 fires("TracetailorQueueFills", "10m", None)),
            case([series('tracetailor_stitch_orphan_spans_total{instance="a",component="stitch"}', "0+10x60"),
                  series('tracetailor_ledger_accepted_spans_total{instance="a",pipeline="traces"}', "0+100x60")],
                 fires("TracetailorOrphans", "45m", i)),
            case([series('tracetailor_stitch_orphan_spans_total{instance="a",component="stitch"}', "0+1x60"),
                  series('tracetailor_ledger_accepted_spans_total{instance="a",pipeline="traces"}', "0+100x60")],
                 fires("TracetailorOrphans", "45m", None)),
            case([series('tracetailor_stitch_edge_calls_total{instance="a",component="stitch",from="shop",to="pay",outcome="answered"}', "0+980x20"),
                  series('tracetailor_stitch_edge_calls_total{instance="a",component="stitch",from="shop",to="pay",outcome="unanswered"}', "0+20x20"),
                  series('tracetailor_stitch_edge_calls_total{instance="a",component="stitch",from="shop",to="cart",outcome="answered"}', "0+995x20"),
                  series('tracetailor_stitch_edge_calls_total{instance="a",component="stitch",from="shop",to="cart",outcome="orphaned"}', "0+5x20"),
                  series('tracetailor_stitch_edge_calls_total{instance="a",component="stitch",from="cart",to="rare",outcome="orphaned"}', "0+1x20")],
                 fires("TracetailorContextLost", "15m", {"from": "shop", "to": "pay"})),
            case([series('tracetailor_config_reload_failed{instance="a"}', "1x20")], fires("TracetailorReloadRefused", "10m", i)),
            case([series('tracetailor_ledger_residual{instance="a"}', "3x90")], fires("TracetailorBooksDoNotBalance", "80m", i)),
            case([series('tracetailor_ledger_residual{instance="a"}', "3 0 3 0 3 0 3 0 3 0x80")], fires("TracetailorBooksDoNotBalance", "80m", None)),
            case([series('otelcol_exporter_send_failed_spans{instance="a",exporter="otlp"}', "0+60x20")],
                 fires("TracetailorGivesUp", "15m", {"instance": "a", "exporter": "otlp"})),
            # Two tiers run two configurations, each the same on all of its replicas.
            case([series('tracetailor_config_info{job="router",digest="1"}', "1x40"), series('tracetailor_config_info{job="sampler",digest="2"}', "1x40")],
                 fires("TracetailorConfigurationsDiffer", "30m", None)),
            case([series('tracetailor_config_info{job="sampler",instance="a",digest="1"}', "1x40"), series('tracetailor_config_info{job="sampler",instance="b",digest="2"}', "1x40")],
                 fires("TracetailorConfigurationsDiffer", "30m", {"job": "sampler"})),
        ]
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "rules.yaml").write_text((CHART / "files/alerts.yaml").read_text())
            path = Path(folder) / "test.yaml"
            path.write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": cases}))
            done = run("promtool", "test", "rules", str(path))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_dashboard_asks_what_prometheus_reads(self):
        board = json.loads(named(self.everything, "ConfigMap", "shop-tracetailor-dashboard")["data"]["tracetailor.json"])
        asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
        self.assertGreater(len(asked), 20)
        plain = [re.sub(r"\$\w+", "x", expr.replace("$__rate_interval", "5m")) for expr in asked]
        recorded = [{"record": f"asked:{at}", "expr": expr} for at, expr in enumerate(plain)]
        done = promtool({"groups": [{"name": "dashboard", "rules": recorded}]}, "check", "rules")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len({panel["id"] for panel in board["panels"]}), len(board["panels"]))


if __name__ == "__main__":
    unittest.main()
