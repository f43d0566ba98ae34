//! Who waits in an environment, in order. Leaving from the middle and finding one's place look at a few entries,
//! however many wait.

use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};

use crate::name::DeploymentNumber;
use crate::visits;

/// Places rise from the head to the end and are never moved: the head's may be below zero.
type Place = i64;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(Place, DeploymentNumber)>", into = "Vec<(Place, DeploymentNumber)>")]
pub struct Queue {
    /// In order, so that a place is found by halving.
    line: Vector<(Place, DeploymentNumber)>,
    places: OrdMap<DeploymentNumber, Place>,
}

impl Queue {
    pub fn len(&self) -> usize {
        self.line.len()
    }

    pub fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    pub fn front(&self) -> Option<&DeploymentNumber> {
        self.get(0)
    }

    pub fn get(&self, index: usize) -> Option<&DeploymentNumber> {
        visits::count(1);
        self.line.get(index).map(|(_, number)| number)
    }

    pub fn iter(&self) -> impl Iterator<Item = &DeploymentNumber> {
        self.line.iter().map(|(_, number)| number).inspect(|_| visits::count(1))
    }

    /// Where it stands, from 0.
    pub fn index_of(&self, number: DeploymentNumber) -> Option<usize> {
        let place = self.places.get(&number)?;
        let looked_at = |(at, _): &(Place, DeploymentNumber)| {
            visits::count(1);
            *at
        };
        self.line.binary_search_by_key(place, looked_at).ok()
    }

    pub(crate) fn push_back(&mut self, number: DeploymentNumber) {
        let place = self.line.last().map_or(0, |(last, _)| last + 1);
        self.line.push_back((place, number));
        self.places.insert(number, place);
    }

    pub(crate) fn push_front(&mut self, number: DeploymentNumber) {
        let place = self.line.head().map_or(0, |(first, _)| first - 1);
        self.line.push_front((place, number));
        self.places.insert(number, place);
    }

    /// Changes nothing where it does not wait.
    pub(crate) fn leave(&mut self, number: DeploymentNumber) {
        if let Some(index) = self.index_of(number) {
            self.line.remove(index);
            self.places.remove(&number);
        }
    }
}

impl FromIterator<DeploymentNumber> for Queue {
    fn from_iter<I: IntoIterator<Item = DeploymentNumber>>(numbers: I) -> Self {
        let mut queue = Self::default();
        numbers.into_iter().for_each(|number| queue.push_back(number));
        queue
    }
}

impl From<Vec<(Place, DeploymentNumber)>> for Queue {
    fn from(line: Vec<(Place, DeploymentNumber)>) -> Self {
        let places = line.iter().map(|(place, number)| (*number, *place)).collect();
        Self { line: line.into(), places }
    }
}

impl From<Queue> for Vec<(Place, DeploymentNumber)> {
    fn from(queue: Queue) -> Self {
        queue.line.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// The same line, kept the plain way.
    #[test]
    fn whoever_comes_and_leaves_the_order_is_that_of_a_plain_line() {
        let (mut queue, mut plain) = (Queue::default(), VecDeque::new());
        let mut rng = fastrand::Rng::with_seed(7);
        for number in 1..20_000 {
            match rng.u8(..10) {
                0 => (queue.push_front(number), plain.push_front(number)),
                1..6 => (queue.push_back(number), plain.push_back(number)),
                6 => (queue.leave(number), ()),
                7.. => {
                    let leaves = plain.get(rng.usize(..plain.len().max(1))).copied().unwrap_or(0);
                    (queue.leave(leaves), plain.retain(|waiting| *waiting != leaves))
                }
            };
            let asked = rng.usize(..plain.len().max(1));
            assert_eq!(queue.get(asked), plain.get(asked));
            assert_eq!(plain.get(asked).and_then(|number| queue.index_of(*number)), plain.get(asked).map(|_| asked));
        }
        assert!(queue.len() > 1_000 && queue.iter().eq(&plain));
        let written = serde_json::to_string(&queue).unwrap();
        assert_eq!(serde_json::from_str::<Queue>(&written).unwrap(), queue);
    }
}
