//! A crate that asks a database: its macros read files, and would ask the database itself.

/// Read at compile time from the folder `migrations`.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

#[derive(sqlx::FromRow)]
pub struct Person {
    pub name: String,
}

/// Checked at compile time against what `.sqlx` keeps of the database.
pub async fn people(pool: &sqlx::PgPool) -> sqlx::Result<Vec<Person>> {
    sqlx::query_as!(Person, "SELECT name FROM people").fetch_all(pool).await
}
