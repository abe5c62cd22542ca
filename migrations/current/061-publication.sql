-- What a second server may subscribe to; which tables is said in sql/13-warehouse/publication.sql.
create publication warehouse_sources;
comment on publication warehouse_sources is 'What the warehouse is made of, without names, numbers and texts: for a server of its own.';
