//! The attributes behind `lamina::handler` and `lamina::init`: make a function the one
//! that a component exports.
//!
//! It leaves the function as it is, for tests to call. It decides between the
//! buffered and the streaming form, says what is wrong with a shape that is
//! neither, and leaves the types to the compiler.

mod expand;

use proc_macro::TokenStream;

/// Makes a function the component's handler.
///
/// ```text
/// #[lamina::handler]
/// fn handle(event: MyEvent, ctx: Context) -> Result<MyAnswer, Error> { .. }
///
/// #[lamina::handler]
/// async fn handle(event: MyEvent, ctx: Context, response: ResponseStream) -> Result<(), Error> { .. }
/// ```
///
/// Three parameters make it a streaming handler; `#[lamina::handler(stream)]` says
/// so as well. One function of a crate can have the attribute when it is built for
/// wasm.
#[proc_macro_attribute]
pub fn handler(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::handler(arguments.into(), item.into()).into()
}

/// Makes a function the component's init: it runs in every instance before the handler,
/// and for a version with SnapStart once, before the snapshot.
///
/// ```text
/// #[lamina::init]
/// fn init() -> Result<(), Error> { .. }
/// ```
///
/// It may be `async`. What it leaves in statics is there for the handler. One function of
/// a crate can have the attribute when it is built for wasm.
#[proc_macro_attribute]
pub fn init(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::init(arguments.into(), item.into()).into()
}
