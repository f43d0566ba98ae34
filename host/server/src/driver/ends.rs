//! Who waits for the end of a deployment hears of that, and of nothing else that happens in its project.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lockgate_core::name::DeploymentNumber;
use lockgate_core::state::State;
use tokio::sync::Notify;

/// By deployment, those that somebody has waited for since it began.
#[derive(Clone, Default)]
pub struct Ends(Arc<Mutex<HashMap<DeploymentNumber, Arc<Notify>>>>);

impl Ends {
    /// To be shown after everybody can see this state.
    pub fn tell<'a>(&self, state: &State, touched: impl IntoIterator<Item = &'a DeploymentNumber>) {
        let mut awaited = self.awaited();
        for number in touched {
            if is_over(state, *number)
                && let Some(end) = awaited.remove(number)
            {
                end.notify_waiters();
            }
        }
    }

    /// Done when it is over, by what is shown.
    pub async fn wait_for(&self, number: DeploymentNumber, is_over: impl Fn() -> bool) {
        loop {
            // Before the look, and where nobody can take it away: what ends in between is heard.
            let told = self.awaited().entry(number).or_default().clone().notified_owned();
            if is_over() {
                // Nobody tells of it any more, also not to those who look at the same moment.
                return self.awaited().remove(&number).into_iter().for_each(|end| end.notify_waiters());
            }
            told.await;
        }
    }

    fn awaited(&self) -> MutexGuard<'_, HashMap<DeploymentNumber, Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is not in memory has ended, too, or never was.
pub fn is_over(state: &State, number: DeploymentNumber) -> bool {
    state.deployments.get(&number).is_none_or(|deployment| deployment.is_finished())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::pin::pin;

    use futures::FutureExt as _;

    use super::super::tests::written::deploying;
    use super::*;

    #[test]
    fn who_waits_hears_of_the_end_and_of_nothing_else() {
        let (ends, under_way) = (Ends::default(), deploying().state);
        let mut over = under_way.clone();
        over.deployments.remove(&1);
        let looks = RefCell::new(0);
        let now = RefCell::new(under_way.clone());
        let look = || {
            *looks.borrow_mut() += 1;
            is_over(&now.borrow(), 1)
        };
        let (mut one, mut other) = (pin!(ends.wait_for(1, look)), pin!(ends.wait_for(1, look)));
        assert!(one.as_mut().now_or_never().is_none() && other.as_mut().now_or_never().is_none());
        ends.tell(&under_way, &[1, 2]);
        assert!(one.as_mut().now_or_never().is_none());
        assert_eq!(*looks.borrow(), 2, "each looked once, when it came");

        now.replace(over.clone());
        ends.tell(&over, &[1]);
        assert!(one.now_or_never().is_some() && other.now_or_never().is_some());
        assert!(ends.wait_for(1, look).now_or_never().is_some(), "who comes later waits for nobody");
        assert!(ends.awaited().is_empty());
    }

    #[test]
    fn what_ends_between_two_looks_is_heard() {
        let (ends, under_way) = (Ends::default(), deploying().state);
        let mut over = under_way.clone();
        over.deployments.remove(&1);
        let looks = RefCell::new(vec![over.clone(), under_way]);
        let look = || {
            let seen = looks.borrow_mut().pop().unwrap();
            // Right after it was seen to go on.
            ends.tell(&over, &[1]);
            is_over(&seen, 1)
        };
        assert!(ends.wait_for(1, look).now_or_never().is_some());
    }
}
