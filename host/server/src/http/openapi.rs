//! The OpenAPI document: made from the handlers, with what all of them have in common added here.

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, Info, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use crate::wire;

const ABOUT: &str = "Releases, deployments, approvals and plugins of one Lockgate host.\n\n\
    The role an operation needs stands in its security requirement: viewer, member or admin. \
    Every refusal is `application/problem+json` with a stable `code`; only what is not HTTP, or has a head of more than \
    400 headers, a path of 64 KiB or some 400 KiB in all, is answered with a bare 400, 414 or 431 and closed.";

pub fn head() -> OpenApi {
    let mut info = Info::new("Lockgate", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    OpenApiBuilder::new().info(info).build()
}

/// Adds how to authenticate, and that each operation may answer with a problem.
pub fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let bearer =
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The secret of a token: `lg_...`")).build();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    let mut schemas = vec![(wire::Problem::name().into_owned(), wire::Problem::schema())];
    wire::Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.head];
        operations.into_iter().flatten().for_each(may_answer_with_a_problem);
    }
}

fn may_answer_with_a_problem(operation: &mut Operation) {
    let schema = Ref::from_schema_name(wire::Problem::name());
    let problem = ResponseBuilder::new()
        .description("What went wrong, and what to do")
        .content("application/problem+json", Content::new(Some(schema)))
        .build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(problem));
}

pub fn text(document: &OpenApi) -> String {
    document.to_pretty_json().expect("the document is plain data")
}
