//! What holds for every topology.

use super::*;

#[test]
fn topologies_are_trees_in_time() {
    for scene in scenes(2, 10) {
        for trace in &scene.traces {
            assert!(trace.iter().enumerate().all(|(at, span)| span.parent != Some(at) && span.end >= span.start), "{}", scene.name);
            assert_eq!(trace.iter().filter(|span| span.parent.is_none()).count(), 1, "{}", scene.name);
            let score = score(trace, &vec![false; trace.len()], &{
                let lost = vec![false; trace.len()];
                let seen = seen(trace, &lost, 0, 1);
                let plan = repair(TraceId([1; 16]), &seen.views, &Rules::default());
                assert!(plan.made.is_empty() && plan.touched.is_empty() && plan.quality.is_complete, "{}", scene.name);
                Outcome::of(trace, &seen, &plan)
            });
            assert_eq!((score.orphans, score.precision(), score.recall()), (0, 1.0, 1.0));
        }
    }
}
