//! From the attribute and its function to what stands in their place.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::parse::Parser as _;
use syn::{Error, FnArg, ItemFn, ReturnType};

/// How a handler answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Buffered,
    Streaming,
}

/// The function and what exports it; with an error in place of the latter when
/// there is something wrong.
pub(crate) fn handler(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function = match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => function,
        Err(_) => {
            let error = Error::new(Span::call_site(), "lamina::handler goes on a function with a body");
            let error = error.into_compile_error();
            return quote!(#error #item);
        }
    };
    let glue =
        form(arguments, &function).map_or_else(Error::into_compile_error, |form| glue(form, &function.sig.ident));
    quote!(#function #glue)
}

/// The same for an init.
pub(crate) fn init(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let Ok(function) = syn::parse2::<ItemFn>(item.clone()) else {
        let error = Error::new(Span::call_site(), "lamina::init goes on a function with a body");
        let error = error.into_compile_error();
        return quote!(#error #item);
    };
    let glue = match check_init(&arguments, &function) {
        Ok(()) => init_glue(&function.sig.ident),
        Err(error) => error.into_compile_error(),
    };
    quote!(#function #glue)
}

fn check_init(arguments: &TokenStream, function: &ItemFn) -> Result<(), Error> {
    let signature = &function.sig;
    if !arguments.is_empty() {
        return Err(Error::new_spanned(arguments, "expected `#[lamina::init]`"));
    }
    if !signature.generics.params.is_empty() || !signature.inputs.is_empty() {
        return Err(Error::new_spanned(&signature.ident, "an init takes no parameters: it serves no call"));
    }
    if matches!(signature.output, ReturnType::Default) {
        return Err(Error::new_spanned(&signature.ident, "an init returns a Result<(), lamina::Error>"));
    }
    Ok(())
}

fn init_glue(function: &Ident) -> TokenStream {
    quote! {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code)]
        const _: () = {
            struct Component;

            impl ::lamina::__private::lifecycle::exports::lamina::function::lifecycle::Guest for Component {
                fn init() -> ::std::result::Result<(), ::lamina::__private::FunctionError> {
                    ::lamina::__private::init(#function)
                }

                fn before_snapshot() -> ::std::result::Result<(), ::lamina::__private::FunctionError> {
                    ::lamina::__private::before_snapshot()
                }

                fn after_restore() -> ::std::result::Result<(), ::lamina::__private::FunctionError> {
                    ::lamina::__private::after_restore()
                }
            }

            ::lamina::__private::export_lifecycle!(Component with_types_in ::lamina::__private::lifecycle);
        };
        #[cfg(not(target_family = "wasm"))]
        const _: () = ::lamina::__private::check_init(&#function);
    }
}

/// The form that the attribute and the parameters ask for.
fn form(arguments: TokenStream, function: &ItemFn) -> Result<Form, Error> {
    let asked = asked_form(arguments)?;
    let signature = &function.sig;
    if !signature.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &signature.generics,
            "a handler has no type parameters: it is called with JSON",
        ));
    }
    if let Some(FnArg::Receiver(receiver)) = signature.inputs.first() {
        return Err(Error::new_spanned(receiver, "a handler is a free function, without self"));
    }
    if matches!(signature.output, ReturnType::Default) {
        return Err(Error::new_spanned(&signature.ident, "a handler returns a Result<answer, lamina::Error>"));
    }
    match (asked, signature.inputs.len()) {
        (None, 2) => Ok(Form::Buffered),
        (_, 3) => Ok(Form::Streaming),
        (Some(_), _) => Err(Error::new_spanned(
            &signature.ident,
            "a streaming handler takes three parameters: the event, a lamina::Context and a lamina::ResponseStream",
        )),
        (None, _) => Err(Error::new_spanned(
            &signature.ident,
            "a handler takes two parameters, the event and a lamina::Context; one that streams takes a \
             lamina::ResponseStream as its third",
        )),
    }
}

/// The form between the attribute's parentheses, if any.
fn asked_form(arguments: TokenStream) -> Result<Option<Form>, Error> {
    if arguments.is_empty() {
        return Ok(None);
    }
    let word = (|input: syn::parse::ParseStream<'_>| input.parse::<Ident>()).parse2(arguments.clone());
    match word {
        Ok(word) if word == "stream" => Ok(Some(Form::Streaming)),
        _ => Err(Error::new_spanned(arguments, "expected `#[lamina::handler]` or `#[lamina::handler(stream)]`")),
    }
}

/// What exports the function in a guest, and keeps it in use and checked elsewhere.
fn glue(form: Form, function: &Ident) -> TokenStream {
    let (check, export) = match form {
        Form::Buffered => (quote!(check), export_buffered(function)),
        Form::Streaming => (quote!(check_stream), export_streaming(function)),
    };
    quote! {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code)]
        const _: () = { #export };
        #[cfg(not(target_family = "wasm"))]
        const _: () = ::lamina::__private::#check(&#function);
    }
}

fn export_buffered(function: &Ident) -> TokenStream {
    quote! {
        struct Component;

        impl ::lamina::__private::buffered::exports::lamina::function::handler::Guest for Component {
            fn handle(
                event: ::std::vec::Vec<u8>,
                context: ::lamina::__private::Context,
            ) -> ::std::result::Result<::std::vec::Vec<u8>, ::lamina::__private::FunctionError> {
                ::lamina::__private::call(#function, event, context)
            }
        }

        ::lamina::__private::export_buffered!(Component with_types_in ::lamina::__private::buffered);
    }
}

fn export_streaming(function: &Ident) -> TokenStream {
    quote! {
        struct Component;

        impl ::lamina::__private::streaming::exports::lamina::function::stream_handler::Guest for Component {
            fn handle(
                event: ::std::vec::Vec<u8>,
                context: ::lamina::__private::Context,
                response: ::lamina::__private::ResponseWriter,
            ) -> ::std::result::Result<(), ::lamina::__private::FunctionError> {
                ::lamina::__private::call_stream(#function, event, context, response)
            }
        }

        ::lamina::__private::export_streaming!(Component with_types_in ::lamina::__private::streaming);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &str, function: &str, expect: Result<Form, &str>) {
        let function = syn::parse_str(function).unwrap();
        let form = form(arguments.parse().unwrap(), &function).map_err(|error| error.to_string());
        match (form, expect) {
            (Ok(form), Ok(expect)) => assert_eq!(form, expect),
            (Err(error), Err(expect)) => assert!(error.contains(expect), "{error}"),
            (form, _) => panic!("{form:?} instead of {expect:?}"),
        }
    }

    #[test]
    fn the_form_is_read_from_the_signature() {
        check("", "fn f(e: E, c: Context) -> R {}", Ok(Form::Buffered));
        check("", "async fn f(e: E, c: Context) -> R {}", Ok(Form::Buffered));
        check("", "fn f(e: E, c: Context, r: ResponseStream) -> R {}", Ok(Form::Streaming));
        check("stream", "fn f(e: E, c: Context, r: ResponseStream) -> R {}", Ok(Form::Streaming));
    }

    #[test]
    fn other_shapes_are_told_what_to_be() {
        check("", "fn f(e: E) -> R {}", Err("takes two parameters"));
        check("stream", "fn f(e: E, c: Context) -> R {}", Err("takes three parameters"));
        check("", "fn f<T>(e: T, c: Context) -> R {}", Err("no type parameters"));
        check("", "fn f(&self, c: Context) -> R {}", Err("without self"));
        check("", "fn f(e: E, c: Context) {}", Err("returns a Result"));
        check("buffered", "fn f(e: E, c: Context) -> R {}", Err("expected `#[lamina::handler]`"));
    }

    #[test]
    fn an_init_takes_nothing_and_returns_a_result() {
        let check = |arguments: &str, function: &str, expect: Option<&str>| {
            let output = init(arguments.parse().unwrap(), function.parse().unwrap()).to_string();
            match expect {
                None => assert!(output.contains("check_init") && !output.contains("compile_error"), "{output}"),
                Some(expect) => assert!(output.contains(expect), "{output}"),
            }
        };
        check("", "fn f() -> R {}", None);
        check("", "async fn f() -> R {}", None);
        check("", "fn f(e: E) -> R {}", Some("takes no parameters"));
        check("", "fn f<T>() -> R {}", Some("takes no parameters"));
        check("", "fn f() {}", Some("returns a Result"));
        check("once", "fn f() -> R {}", Some("expected `#[lamina::init]`"));
        check("", "struct S;", Some("goes on a function"));
    }

    #[test]
    fn a_wrong_function_stays_for_the_compiler_to_see() {
        let output = handler(
            TokenStream::new(),
            quote!(
                fn f() {}
            ),
        )
        .to_string();
        assert!(output.contains("compile_error") && output.contains("fn f ()"), "{output}");
    }

    #[test]
    fn what_is_no_function_is_refused() {
        let output = handler(
            TokenStream::new(),
            quote!(
                struct S;
            ),
        )
        .to_string();
        assert!(output.contains("goes on a function") && output.contains("struct S"), "{output}");
    }
}
