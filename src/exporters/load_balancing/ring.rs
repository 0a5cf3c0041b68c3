//! Consistent hashing, as the Collector does it: every gateway with the same list of back ends sends a key to the same one, and a back end
//! that joins or leaves moves only the keys that are its own.

/// How many places a ring has.
const PLACES: u32 = 36_000;
/// How many of them each back end takes.
const POINTS: u8 = 100;

/// Back ends on a ring. Each is known by a number that no other of this process has.
#[derive(Debug, Default)]
pub(super) struct Ring {
    /// Place and back end, by place.
    points: Vec<(u32, u32)>,
    members: Vec<(u32, String)>,
}

impl Ring {
    /// Of these back ends, whatever their order.
    pub(super) fn of(mut members: Vec<(u32, String)>) -> Self {
        members.sort_by(|one, other| one.1.cmp(&other.1));
        let mut points: Vec<(u32, u32)> = Vec::with_capacity(members.len() * usize::from(POINTS));
        for (number, name) in &members {
            for point in 0..POINTS {
                let mut hasher = crc32fast::Hasher::new();
                hasher.update(name.as_bytes());
                hasher.update(&[point]);
                points.push((hasher.finalize() % PLACES, *number));
            }
        }
        // Who comes first in the order of names has a place that two want.
        points.sort_by_key(|(place, _)| *place);
        points.dedup_by_key(|(place, _)| *place);
        Self { points, members }
    }

    /// Who has a key; nobody, where there is none.
    pub(super) fn owner(&self, key: &[u8]) -> Option<u32> {
        let place = crc32fast::hash(key) % PLACES;
        let next = self.points.partition_point(|(other, _)| *other < place);
        self.points.get(next).or(self.points.first()).map(|(_, number)| *number)
    }

    /// The back ends and their numbers.
    pub(super) fn members(&self) -> &[(u32, String)] {
        &self.members
    }

    /// What a back end is called.
    pub(super) fn name(&self, number: u32) -> Option<&str> {
        self.members.iter().find(|(known, _)| *known == number).map(|(_, name)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(names: &[&str]) -> Ring {
        Ring::of(names.iter().enumerate().map(|(number, name)| (number as u32 + 1, (*name).to_owned())).collect())
    }

    fn owner(ring: &Ring, key: u32) -> String {
        ring.owner(&key.to_be_bytes()).and_then(|number| ring.name(number)).unwrap_or_default().to_owned()
    }

    #[test]
    fn the_order_of_the_list_changes_nothing() {
        let (one, other) = (ring(&["a:4317", "b:4317", "c:4317"]), ring(&["c:4317", "a:4317", "b:4317"]));
        assert!((0..10_000).all(|key| owner(&one, key) == owner(&other, key)));
    }

    #[test]
    fn who_leaves_moves_only_what_was_its_own() {
        let (before, after) = (ring(&["a:4317", "b:4317", "c:4317"]), ring(&["a:4317", "c:4317"]));
        let moved = (0..10_000).filter(|key| owner(&before, *key) != owner(&after, *key));
        let moved: Vec<u32> = moved.collect();
        assert!(moved.iter().all(|key| owner(&before, *key) == "b:4317"));
        assert!((2_000..5_000).contains(&moved.len()), "{}", moved.len());
    }

    #[test]
    fn nobody_owns_anything_where_there_is_nobody() {
        assert_eq!(ring(&[]).owner(b"key"), None);
        assert_eq!(ring(&["a"]).owner(b"key"), Some(1));
    }
}
