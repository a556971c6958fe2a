{#- What a model is trained on (step 4.1): the promoted version, whole, in order of contact. -#}
SELECT * FROM {{ training }} ORDER BY contact_date, Id
