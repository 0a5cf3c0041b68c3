//! What components tell whoever runs the gateway: pages of the admin extension that are not its own.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::id::ComponentId;

/// Something that a component has seen and can tell: why a trace was dropped, which services there are, what was redacted.
///
/// It is asked from another thread than the one that it sees on, at any time and seldom; it must answer at once, and what it keeps for the answer must
/// be bounded. It is mostly what the lanes of a component [share](super::BuildContext::share).
pub trait Report: Send + Sync {
    /// The answer for programs. `question` is the rest of the address behind the page's name, without a slash in front: of `/why/5b8e…`, the id.
    fn json(&self, question: &str) -> serde_json::Value;

    /// The same for people: whole lines.
    fn text(&self, question: &str) -> String;

    /// Whether it has what is asked for. Where nobody has, the page says what there is to say with 404, so that a program need not read it.
    fn knows(&self, _question: &str) -> bool {
        true
    }
}

/// Who tells what, by page. Clones are the same.
///
/// ```
/// use std::sync::Arc;
/// use tracetailor_core::component::{Report, Reports};
///
/// struct Names(Vec<&'static str>);
///
/// impl Report for Names {
///     fn json(&self, _question: &str) -> serde_json::Value {
///         serde_json::json!({ "names": self.0 })
///     }
///
///     fn text(&self, _question: &str) -> String {
///         self.0.join("\n")
///     }
/// }
///
/// let reports = Reports::default();
/// let names = Arc::new(Names(vec!["cart"]));
/// let id = "service_name".parse().unwrap();
/// reports.offer("services", "what services there are", &id, names.clone());
/// let (who, told) = &reports.of("services")[0];
/// assert_eq!((who.to_string(), told.text("")), ("service_name".to_owned(), "cart".to_owned()));
///
/// // A page goes with the component that told it.
/// drop((names, told.clone()));
/// ```
#[derive(Clone, Default)]
pub struct Reports(Arc<Mutex<BTreeMap<&'static str, Page>>>);

struct Page {
    tells: &'static str,
    by: Vec<(ComponentId, Weak<dyn Report>)>,
}

impl Reports {
    /// Offers a report under the name of a page, `why` for `/why`, with what the page tells in a few words. Whoever offers keeps the report: it is gone
    /// from the page when its last owner is. To offer the same one again, as every lane does, changes nothing.
    pub fn offer(&self, page: &'static str, tells: &'static str, id: &ComponentId, report: Arc<impl Report + 'static>) {
        let report: Arc<dyn Report> = report;
        let report = Arc::downgrade(&report);
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let page = pages.entry(page).or_insert(Page { tells, by: Vec::new() });
        page.by.retain(|(_, known)| known.strong_count() > 0);
        if !page.by.iter().any(|(_, known)| known.ptr_eq(&report)) {
            page.by.push((id.clone(), report));
        }
    }

    /// What components tell under a page, in the order of their ids; nothing for a page that nobody has.
    pub fn of(&self, page: &str) -> Vec<(ComponentId, Arc<dyn Report>)> {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let by = pages.get(page).map_or(&[] as &[_], |page| &page.by);
        let mut all: Vec<_> = by.iter().filter_map(|(id, report)| Some((id.clone(), report.upgrade()?))).collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all
    }

    /// The pages there are now, and what each tells.
    pub fn pages(&self) -> Vec<(&'static str, &'static str)> {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let there = pages.iter().filter(|(_, page)| page.by.iter().any(|(_, report)| report.strong_count() > 0));
        there.map(|(name, page)| (*name, page.tells)).collect()
    }
}

impl fmt::Debug for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pages()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Told(&'static str);

    impl Report for Told {
        fn json(&self, question: &str) -> serde_json::Value {
            format!("{} {question}", self.0).into()
        }

        fn text(&self, question: &str) -> String {
            format!("{} {question}\n", self.0)
        }
    }

    #[test]
    fn a_report_is_there_as_long_as_its_owner() {
        let (reports, id) = (Reports::default(), |id: &str| -> ComponentId { id.parse().unwrap() });
        let (one, other) = (Arc::new(Told("one")), Arc::new(Told("other")));
        for _ in 0..2 {
            reports.offer("why", "why it was so", &id("tail_sampling/b"), other.clone());
            reports.offer("why", "why it was so", &id("tail_sampling/a"), one.clone());
        }
        let told: Vec<String> = reports.clone().of("why").iter().map(|(id, told)| format!("{id} {}", told.text("?"))).collect();
        assert_eq!(told, ["tail_sampling/a one ?\n", "tail_sampling/b other ?\n"]);
        drop(one);
        assert_eq!(reports.of("why").len(), 1);
        assert_eq!(reports.pages(), [("why", "why it was so")]);
        drop(other);
        assert!(reports.of("why").is_empty() && reports.pages().is_empty() && reports.of("nothing").is_empty());
    }
}
