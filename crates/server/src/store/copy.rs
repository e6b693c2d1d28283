//! All rows of one database into another, whichever kind each is. Both have the same tables; SQLite describes them.

use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Row, query::Query};

use super::StoreError;

/// A table and its columns.
#[derive(Debug)]
pub(super) struct Table {
    pub name: String,
    columns: Vec<(String, Kind)>,
}

/// What a column holds, unless nothing.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Number,
    Text,
    Bytes,
}

/// The tables of a SQLite database, each after those that its rows refer to.
pub(super) async fn tables(database: &mut AnyConnection) -> Result<Vec<Table>, StoreError> {
    let names: Vec<(String,)> = sqlx::query_as(
        "SELECT name FROM sqlite_master
         WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name NOT LIKE '!_sqlx!_%' ESCAPE '!'
         ORDER BY name",
    )
    .fetch_all(&mut *database)
    .await?;
    let mut waiting: Vec<String> = names.into_iter().map(|(name,)| name).collect();
    let mut tables: Vec<Table> = Vec::new();
    while !waiting.is_empty() {
        let mut later = Vec::new();
        for name in std::mem::take(&mut waiting) {
            let needed = referred_to(database, &name).await?;
            let is_there = |other: &String| tables.iter().any(|table| table.name == *other);
            match needed.iter().all(|other| *other == name || is_there(other)) {
                true => tables.push(Table {
                    columns: columns(database, &name).await?,
                    name,
                }),
                false => later.push(name),
            }
        }
        waiting = later;
    }
    Ok(tables)
}

async fn referred_to(
    database: &mut AnyConnection,
    table: &str,
) -> Result<BTreeSet<String>, StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as(r#"SELECT "table" FROM pragma_foreign_key_list($1)"#)
        .bind(table)
        .fetch_all(database)
        .await?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

async fn columns(
    database: &mut AnyConnection,
    table: &str,
) -> Result<Vec<(String, Kind)>, StoreError> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT name, type FROM pragma_table_info($1) ORDER BY cid")
            .bind(table)
            .fetch_all(database)
            .await?;
    let kind = |declared: &str| match declared {
        "INTEGER" => Kind::Number,
        "BLOB" => Kind::Bytes,
        _ => Kind::Text,
    };
    Ok(rows
        .into_iter()
        .map(|(name, declared)| (name, kind(&declared)))
        .collect())
}

impl Table {
    /// Writes every row of `from` into `to`.
    pub async fn copy(
        &self,
        from: &mut AnyConnection,
        to: &mut AnyConnection,
    ) -> Result<(), StoreError> {
        let names: Vec<_> = self
            .columns
            .iter()
            .map(|(name, _)| format!("\"{name}\""))
            .collect();
        let places: Vec<_> = (1..=names.len()).map(|at| format!("${at}")).collect();
        let (names, table) = (names.join(", "), &self.name);
        let select = format!("SELECT {names} FROM \"{table}\"");
        let insert = format!(
            "INSERT INTO \"{table}\" ({names}) VALUES ({})",
            places.join(", ")
        );
        let mut rows = sqlx::query(AssertSqlSafe(select)).fetch(from);
        while let Some(row) = rows.try_next().await? {
            let mut query: Query<'_, Any, _> = sqlx::query(AssertSqlSafe(insert.clone()));
            for (at, (_, kind)) in self.columns.iter().enumerate() {
                query = match kind {
                    Kind::Number => query.bind(row.try_get::<Option<i64>, _>(at)?),
                    Kind::Text => query.bind(row.try_get::<Option<String>, _>(at)?),
                    Kind::Bytes => query.bind(row.try_get::<Option<Vec<u8>>, _>(at)?),
                };
            }
            query.execute(&mut *to).await?;
        }
        Ok(())
    }

    /// Deletes every row.
    pub async fn clear(&self, database: &mut AnyConnection) -> Result<(), StoreError> {
        let delete = format!("DELETE FROM \"{}\"", self.name);
        sqlx::query(AssertSqlSafe(delete)).execute(database).await?;
        Ok(())
    }
}
