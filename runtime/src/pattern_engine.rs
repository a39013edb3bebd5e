//! A regex engine that is made when it is first asked for, and can be let go again.
//!
//! In: how to make it. Out: the engine, shared by all threads. Of a release's patterns few are ever asked, and those that are asked often become
//! machine code: then the engine is only weight, some tens of kilobytes a pattern.

use std::sync::{Arc, PoisonError, RwLock};

use regex_automata::meta::Regex;

/// Holds an engine, or nothing yet, or nothing any more.
#[derive(Default)]
pub(crate) struct Engine {
    held: RwLock<Option<Arc<Regex>>>,
}

impl Engine {
    /// The engine; made by whoever asks first. Two threads may both make one, and one of them stays.
    pub(crate) fn get(&self, make: impl FnOnce() -> Arc<Regex>) -> Arc<Regex> {
        if let Some(regex) = &*self.held.read().unwrap_or_else(PoisonError::into_inner) {
            return Arc::clone(regex);
        }
        let made = make();
        Arc::clone(self.held.write().unwrap_or_else(PoisonError::into_inner).get_or_insert(made))
    }

    /// Gives its memory back. Who uses it at this moment keeps it until done; who asks again makes it again.
    pub(crate) fn let_go(&self) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl From<Regex> for Engine {
    fn from(regex: Regex) -> Engine {
        Engine { held: RwLock::new(Some(Arc::new(regex))) }
    }
}

impl Clone for Engine {
    fn clone(&self) -> Engine {
        Engine { held: RwLock::new(self.held.read().unwrap_or_else(PoisonError::into_inner).clone()) }
    }
}
