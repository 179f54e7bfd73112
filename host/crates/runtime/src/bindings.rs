//! Host bindings of `wit/`. WASI and `wasi:http` are wasmtime's own.

mod generated {
    #![allow(missing_docs, unreachable_pub, reason = "generated from wit/, where the docs are")]

    pub mod buffered {
        wasmtime::component::bindgen!({
            path: "../../../wit",
            world: "lamina:function/function",
            imports: { default: trappable },
            exports: { default: async },
            require_store_data_send: true,
            ownership: Borrowing { duplicate_if_necessary: true },
            with: {
                "wasi": wasmtime_wasi::p2::bindings,
            },
        });
    }

    pub mod streaming {
        wasmtime::component::bindgen!({
            path: "../../../wit",
            world: "lamina:function/function-stream",
            imports: { default: trappable },
            exports: { default: async },
            require_store_data_send: true,
            ownership: Borrowing { duplicate_if_necessary: true },
            with: {
                "wasi": wasmtime_wasi::p2::bindings,
                "lamina:function/diagnostics": super::buffered::lamina::function::diagnostics,
                "lamina:function/types": super::buffered::lamina::function::types,
                "lamina:function/response.response-writer": crate::response::ResponseWriter,
            },
        });
    }

    pub mod managed {
        // `managed-host` is linked by hand (`exec::managed`): it passes shared bytes.
        #![allow(dead_code, reason = "the generated trait of managed-host is not used")]

        wasmtime::component::bindgen!({
            path: "../../../wit",
            world: "lamina:function/managed-runtime",
            imports: { default: trappable },
            exports: { default: async },
            require_store_data_send: true,
            ownership: Borrowing { duplicate_if_necessary: true },
            with: {
                "wasi": wasmtime_wasi::p2::bindings,
                "lamina:function/diagnostics": super::buffered::lamina::function::diagnostics,
                "lamina:function/types": super::buffered::lamina::function::types,
                "lamina:function/response": super::streaming::lamina::function::response,
            },
        });
    }
}

pub(crate) use generated::buffered::FunctionIndices;
pub(crate) use generated::buffered::lamina::function::{diagnostics, types};
pub(crate) use generated::managed::ManagedRuntimeIndices;
pub(crate) use generated::streaming::FunctionStreamIndices;
pub(crate) use generated::streaming::lamina::function::response;
pub(crate) use wasmtime_wasi_http::p2::bindings::ProxyIndices;
