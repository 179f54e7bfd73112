//! Who may run now: bounds on calls under way, counted by permits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lamina_types::FunctionName;

use crate::error::Throttle;

/// The account's bound, and perhaps one for each function. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    running: Arc<AtomicU32>,
    max: u32,
    functions: Option<Functions>,
}

/// Calls of each function, counted only where they have a bound of their own.
#[derive(Debug, Clone)]
struct Functions {
    /// Those that run, and so at most as many as calls.
    running: Arc<Mutex<HashMap<FunctionName, u32>>>,
    max: u32,
}

/// Leave to run one call; given back by drop.
#[derive(Debug)]
pub(crate) struct Permit {
    _function: Option<Place>,
    running: Arc<AtomicU32>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.running.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One call of a function.
#[derive(Debug)]
struct Place {
    functions: Functions,
    name: FunctionName,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut running = self.functions.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = running.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.name);
            }
        }
    }
}

impl Functions {
    fn place(&self, name: &FunctionName) -> Result<Place, Throttle> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match running.get_mut(name) {
            Some(count) if *count >= self.max => return Err(Throttle::Function),
            Some(count) => *count += 1,
            None => {
                running.insert(name.clone(), 1);
            }
        }
        Ok(Place { functions: self.clone(), name: name.clone() })
    }
}

impl Admission {
    pub(crate) fn new(max: u32, function_max: Option<u32>) -> Self {
        // One that cannot be hit is not counted.
        let function_max = function_max.filter(|function_max| *function_max < max);
        let functions = function_max.map(|max| Functions { running: Arc::default(), max });
        Self { running: Arc::default(), max, functions }
    }

    /// A permit for a call of this function, or at once the limit that was hit.
    pub(crate) fn permit(&self, function: &FunctionName) -> Result<Permit, Throttle> {
        let function = self.functions.as_ref().map(|functions| functions.place(function)).transpose()?;
        let permit = Permit { _function: function, running: self.running.clone() };
        // Counted before it is compared, so that two callers never share the last.
        if self.running.fetch_add(1, Ordering::SeqCst) >= self.max {
            return Err(Throttle::Account);
        }
        Ok(permit)
    }

    /// The account's bound.
    pub(crate) const fn max(&self) -> u32 {
        self.max
    }

    /// Calls under way.
    pub(crate) fn running(&self) -> u32 {
        self.running.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> FunctionName {
        name.parse().unwrap()
    }

    #[test]
    fn permits_are_bounded_and_given_back() {
        let admission = Admission::new(2, None);
        let permit = || admission.permit(&name("f"));
        let first = permit().unwrap();
        let second = permit().unwrap();
        assert_eq!(permit().unwrap_err(), Throttle::Account);
        assert_eq!(admission.running(), 2);
        drop(first);
        let third = permit().unwrap();
        drop((second, third));
        assert_eq!(admission.running(), 0);
    }

    #[test]
    fn one_function_leaves_room_for_others() {
        let admission = Admission::new(3, Some(2));
        let held = [admission.permit(&name("f")).unwrap(), admission.permit(&name("f")).unwrap()];
        assert_eq!(admission.permit(&name("f")).unwrap_err(), Throttle::Function);
        let other = admission.permit(&name("g")).unwrap();
        assert_eq!(admission.permit(&name("h")).unwrap_err(), Throttle::Account);
        drop((held, other));
        assert_eq!(admission.running(), 0);
        assert!(admission.functions.unwrap().running.lock().unwrap().is_empty());
    }
}
