//! The contract with the platform as Rust: generated from `wit/`.
//!
//! There is a world of its own for what is imported, and one for each export: a
//! guest exports the one whose macro its attribute calls, and no other. Of the
//! imports, only those that are called end up in the component.

#![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]

/// What a guest may import.
pub mod imports {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package lamina:sdk;
            world imports {
                import lamina:function/types@0.1.0;
                import lamina:function/diagnostics@0.1.0;
                import lamina:function/response@0.1.0;
                import wasi:clocks/monotonic-clock@0.2.12;
            }
        ",
        generate_all,
    });
}

/// The export of a buffered handler.
pub mod buffered {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package lamina:sdk;
            world buffered {
                export lamina:function/handler@0.1.0;
            }
        ",
        with: {
            "lamina:function/types@0.1.0": crate::bindings::imports::lamina::function::types,
            "lamina:function/handler@0.1.0": generate,
        },
        runtime_path: "::lamina::__private::rt",
        pub_export_macro: true,
        export_macro_name: "__export_buffered",
    });
}

/// The exports of an init.
pub mod lifecycle {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package lamina:sdk;
            world lifecycle {
                export lamina:function/lifecycle@0.1.0;
            }
        ",
        with: {
            "lamina:function/types@0.1.0": crate::bindings::imports::lamina::function::types,
            "lamina:function/lifecycle@0.1.0": generate,
        },
        runtime_path: "::lamina::__private::rt",
        pub_export_macro: true,
        export_macro_name: "__export_lifecycle",
    });
}

/// The export of a streaming handler.
pub mod streaming {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package lamina:sdk;
            world streaming {
                export lamina:function/stream-handler@0.1.0;
            }
        ",
        with: {
            "lamina:function/types@0.1.0": crate::bindings::imports::lamina::function::types,
            "lamina:function/response@0.1.0": crate::bindings::imports::lamina::function::response,
            "wasi:io/poll@0.2.12": crate::bindings::imports::wasi::io::poll,
            "wasi:io/error@0.2.12": crate::bindings::imports::wasi::io::error,
            "wasi:io/streams@0.2.12": crate::bindings::imports::wasi::io::streams,
            "lamina:function/stream-handler@0.1.0": generate,
        },
        runtime_path: "::lamina::__private::rt",
        pub_export_macro: true,
        export_macro_name: "__export_streaming",
    });
}
