//! The world of the component, generated from `wit/`.

#![allow(missing_docs, clippy::all, unused_qualifications, unreachable_pub)]

wit_bindgen::generate!({
    path: "../../../wit",
    world: "lamina:function/managed-runtime-source",
    generate_all,
});
