{#- Step 3.3: the promoted version, whole: a rollback serves the columns that its version had. -#}
SELECT * FROM {{ training }}
