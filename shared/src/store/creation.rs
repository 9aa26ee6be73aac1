//! Making the table, for an engine that no template sets up.

use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TimeToLiveSpecification,
};

use super::StoreError;
use super::schema::{GPK, GSK, LISTING, PK, SK, TTL};
use super::table::Table;

impl Table {
    /// Makes the table, unless it is there.
    pub(super) async fn create(&self) -> Result<(), StoreError> {
        let created = self
            .client
            .create_table()
            .table_name(&self.name)
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some([PK, SK, GPK, GSK].map(text_attribute).to_vec()))
            .set_key_schema(Some(key_schema(PK, SK)))
            .global_secondary_indexes(
                GlobalSecondaryIndex::builder()
                    .index_name(LISTING)
                    .set_key_schema(Some(key_schema(GPK, GSK)))
                    .projection(
                        Projection::builder()
                            .projection_type(ProjectionType::All)
                            .build(),
                    )
                    .build()
                    .expect("an index has a name and a key"),
            )
            .send()
            .await;
        match created {
            Ok(_) => self.expire_by_ttl().await,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(CreateTableError::is_resource_in_use_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn expire_by_ttl(&self) -> Result<(), StoreError> {
        let ttl = TimeToLiveSpecification::builder()
            .attribute_name(TTL)
            .enabled(true)
            .build();
        let ttl = ttl.expect("the specification has a name");
        let update = self.client.update_time_to_live().table_name(&self.name);
        update.time_to_live_specification(ttl).send().await?;
        Ok(())
    }
}

fn text_attribute(name: &str) -> AttributeDefinition {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .expect("an attribute has a name and a type")
}

fn key_schema(hash: &str, range: &str) -> Vec<KeySchemaElement> {
    [(hash, KeyType::Hash), (range, KeyType::Range)]
        .map(|(name, kind)| {
            let element = KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(kind);
            element
                .build()
                .expect("a key element has a name and a type")
        })
        .to_vec()
}
