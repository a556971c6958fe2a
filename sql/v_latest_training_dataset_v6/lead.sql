{#- One lead as the promoted version has it. Parameters: @lead (its Id). -#}
SELECT * FROM {{ training }} WHERE Id = @lead
