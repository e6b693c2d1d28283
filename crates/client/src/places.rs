//! Where the server may be found: the address that the person has given, and those of its other instances.

/// Addresses to try in turn, beginning with the one that was given.
#[derive(Debug)]
pub(crate) struct Places {
    all: Vec<String>,
    current: usize,
}

/// More than this is no list of instances.
const MOST: usize = 16;

impl Places {
    pub fn new(home: String) -> Self {
        Self {
            all: vec![home],
            current: 0,
        }
    }

    /// Where to try now.
    pub fn current(&self) -> &str {
        &self.all[self.current]
    }

    /// What the server that is connected says of the others. The address that was given and the one that works are kept; one
    /// that is not encrypted does not take the place of one that is, since the token goes there.
    pub fn learn(&mut self, others: &[String]) {
        let home = self.all[0].clone();
        let connected = self.current().to_owned();
        let others = others.iter().filter(|other| scheme(other) == scheme(&home));
        self.all = vec![home.clone()];
        for place in std::iter::once(&connected).chain(others) {
            if !self.all.contains(place) && self.all.len() < MOST {
                self.all.push(place.clone());
            }
        }
        let known = self.all.iter().position(|place| *place == connected);
        self.current = known.unwrap_or(0);
    }

    /// The one that was tried does not answer, or does not any more.
    pub fn next(&mut self) {
        self.current = (self.current + 1) % self.all.len();
    }
}

fn scheme(url: &str) -> &str {
    url.split_once("://").map_or("", |(scheme, _)| scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(places: &mut Places) -> Vec<String> {
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.push(places.current().to_owned());
            places.next();
        }
        seen
    }

    #[test]
    fn one_place_is_tried_again_and_again() {
        let mut places = Places::new("https://a".into());
        assert_eq!(turn(&mut places), ["https://a"; 3]);
    }

    #[test]
    fn all_places_are_tried_in_turn_and_the_one_that_works_is_kept() {
        let mut places = Places::new("https://a".into());
        places.learn(&["https://b".into(), "https://a".into()]);
        assert_eq!(turn(&mut places), ["https://a", "https://b", "https://a"]);
        assert_eq!(places.current(), "https://b");
        places.learn(&["https://c".into()]);
        assert_eq!(turn(&mut places), ["https://b", "https://c", "https://a"]);
    }

    #[test]
    fn no_token_goes_to_a_place_that_does_not_encrypt() {
        let mut places = Places::new("https://a".into());
        places.learn(&["http://b".into(), "nonsense".into()]);
        assert_eq!(turn(&mut places), ["https://a"; 3]);
    }
}
