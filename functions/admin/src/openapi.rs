//! The OpenAPI document: generated from the handlers, and finished here.

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref,
    ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use crate::answer::ErrorJson;

const NO_SCOPES: [&str; 0] = [];

/// What the handlers' part is added to.
pub(crate) fn base() -> OpenApi {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let cookie = ApiKey::Cookie(ApiKeyValue::new("tollhouse_session"));
    let mut schemas = vec![(ErrorJson::name().into_owned(), ErrorJson::schema())];
    ErrorJson::schemas(&mut schemas);
    let mut components = ComponentsBuilder::new()
        .security_scheme("bearer", SecurityScheme::Http(bearer))
        .security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    for (name, schema) in schemas {
        components = components.schema(name, schema);
    }
    let info = InfoBuilder::new()
        .title("Tollhouse: admin API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Ids are strings, times RFC 3339, money decimal strings. Lists take `limit` and `cursor`. \
             Sign in at `/api/session`, and send the token as `Authorization: Bearer`.",
        ));
    OpenApiBuilder::new()
        .info(info.build())
        .components(Some(components.build()))
        .security(Some(
            ["bearer", "cookie"].map(|name| SecurityRequirement::new(name, NO_SCOPES)),
        ))
        .build()
}

/// Says what all operations have in common, and writes paths as OpenAPI does.
pub(crate) fn finish(mut document: OpenApi) -> OpenApi {
    let paths = std::mem::take(&mut document.paths.paths);
    for (path, mut item) in paths {
        operations(&mut item).for_each(add_errors);
        // One handler may answer both: an id names one operation only.
        if let (Some(put), Some(patch)) = (&mut item.put, &item.patch)
            && put.operation_id == patch.operation_id
        {
            put.operation_id = put.operation_id.take().map(|id| format!("{id}_by_put"));
        }
        document.paths.paths.insert(path.replace("{*", "{"), item);
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let all = [
        &mut item.get,
        &mut item.post,
        &mut item.put,
        &mut item.patch,
        &mut item.delete,
    ];
    all.into_iter().filter_map(Option::as_mut)
}

fn add_errors(operation: &mut Operation) {
    let schema = Ref::from_schema_name(ErrorJson::name());
    let refusal = ResponseBuilder::new()
        .description("A refusal or a fault")
        .content("application/json", Content::new(Some(schema)));
    let responses = &mut operation.responses.responses;
    responses.insert("default".to_owned(), refusal.build().into());
}
