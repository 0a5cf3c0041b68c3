//! Functions that the Collector has and this gateway does not have yet.

const LAMBDA: &str = "write a statement for each value; in the Collector, too, functions that take a function stand behind a gate";
const XML: &str = "use ExtractPatterns on the text of the element";
const METRICS: &str = "metrics cannot be made or converted here yet; do it in the Collector in front, or at the destination";

/// Each with what to write meanwhile. Sorted.
pub const PLANNED: &[(&str, &str)] = &[
    ("All", LAMBDA),
    ("Any", LAMBDA),
    ("ConvertAttributesToElementsXML", XML),
    ("ConvertTextToElementsXML", XML),
    ("ExtractGrokPatterns", "use ExtractPatterns with named groups: (?P<name>...)"),
    ("Filter", LAMBDA),
    ("Find", LAMBDA),
    ("GetXML", XML),
    ("InsertXML", XML),
    ("MapEach", LAMBDA),
    ("MapKeys", LAMBDA),
    ("ParseCEF", "use ExtractPatterns for the head, and ParseKeyValue for what follows it"),
    ("ParseCLF", "use ExtractPatterns with a group for each field"),
    ("ParseCSV", "use Split, and an index for each column: Split(body, \",\")[0]"),
    ("ParseELF", "use ParseKeyValue, or ExtractPatterns"),
    ("ParseLEEF", "use ExtractPatterns for the head, and ParseKeyValue for what follows it"),
    ("ParseSeverity", "set severity_number and severity_text with a where clause for each level"),
    ("ParseSimplifiedXML", XML),
    ("ParseXML", XML),
    ("ProfileID", "profiles are planned"),
    ("Reduce", LAMBDA),
    ("RemoveXML", XML),
    ("When", LAMBDA),
    ("aggregate_on_attribute_value", METRICS),
    ("aggregate_on_attributes", METRICS),
    ("convert_exponential_histogram_to_histogram", METRICS),
    ("convert_gauge_to_sum", METRICS),
    ("convert_sum_to_gauge", METRICS),
    ("convert_summary_count_val_to_sum", METRICS),
    ("convert_summary_quantile_val_to_gauge", METRICS),
    ("convert_summary_sum_val_to_sum", METRICS),
    ("copy_metric", METRICS),
    ("extract_count_metric", METRICS),
    ("extract_percentile_metric", METRICS),
    ("extract_sum_metric", METRICS),
    ("merge_histogram_buckets", METRICS),
    ("scale_metric", METRICS),
];
