//! Hooks around the snapshot of a version with SnapStart.
//!
//! An [`init`](crate::init) registers them. A version without a snapshot runs none.
//!
//! A snapshot keeps memory as the init left it, and every call begins there. Its clock,
//! its environment and WASI's randomness are the call's own; what the init read of them
//! is not: a generator that it seeded gives every call the same numbers, and the keys of
//! `HashMap` stay. Seed such a generator in a hook after the restore.

use std::cell::RefCell;

use crate::Error;

type Hook = Box<dyn FnMut() -> Result<(), Error>>;

thread_local! {
    static BEFORE: RefCell<Vec<Hook>> = const { RefCell::new(Vec::new()) };
    static AFTER: RefCell<Vec<Hook>> = const { RefCell::new(Vec::new()) };
}

/// Has the hook run before the snapshot is made; what was registered last runs first.
/// When it fails, the version runs without a snapshot.
pub fn register_before_snapshot(hook: impl FnMut() -> Result<(), Error> + 'static) {
    BEFORE.with_borrow_mut(|hooks| hooks.push(Box::new(hook)));
}

/// Has the hook run whenever an instance was restored, before its call; in the order of
/// registration. When it fails, the call does.
pub fn register_after_restore(hook: impl FnMut() -> Result<(), Error> + 'static) {
    AFTER.with_borrow_mut(|hooks| hooks.push(Box::new(hook)));
}

/// Runs the hooks before a snapshot, once.
#[cfg(any(target_family = "wasm", test))]
pub(crate) fn before() -> Result<(), Error> {
    let hooks = BEFORE.take();
    hooks.into_iter().rev().try_for_each(|mut hook| hook())
}

/// Runs the hooks after a restore.
#[cfg(any(target_family = "wasm", test))]
pub(crate) fn after() -> Result<(), Error> {
    let hooks = AFTER.take();
    hooks.into_iter().try_for_each(|mut hook| hook())
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    #[test]
    fn hooks_run_last_first_before_and_in_order_after() {
        let told = Rc::new(RefCell::new(Vec::new()));
        let tell = |text: &'static str| {
            let told = Rc::clone(&told);
            move || {
                told.borrow_mut().push(text);
                Ok(())
            }
        };
        register_before_snapshot(tell("first"));
        register_before_snapshot(tell("last"));
        register_after_restore(tell("one"));
        register_after_restore(|| Err(Error::new("Own", "no")));
        register_after_restore(tell("never"));
        before().unwrap();
        assert!(after().is_err());
        assert_eq!(*told.borrow(), ["last", "first", "one"]);
    }
}
