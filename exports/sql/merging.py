"""Merging: SQL that shows a value with several members as one text.

Members are joined with `, `. A member that holds a comma or a double quote is put in double
quotes, with its own double quotes doubled, as in CSV. So a reader can split the text again. An
empty text that is the only member is `""`, unlike an empty list.
"""

# Format argument: SQL of a member's text.
MEMBER = """CASE WHEN strpos({0}, ',') > 0 OR strpos({0}, '"') > 0
 THEN '"' || replace({0}, '"', '""') || '"' ELSE {0} END"""
_QUOTED = MEMBER.replace("{0}", "member")
_MEMBERS = f"""CASE WHEN count(*) = 1 AND max(member) = '' THEN '""'
 ELSE string_agg({_QUOTED}, ', ') END"""

# Format argument: SQL of an array. Only few arrays need quotes, so only those are unnested.
MERGED_LIST = """CASE WHEN array_to_string({0}, '', '') ~ '[",]|^$' AND cardinality({0}) > 0
 THEN (SELECT $members
  FROM (SELECT coalesce(member::text, '') AS member FROM unnest({0}) AS member) AS members)
 ELSE array_to_string({0}, ', ', '') END""".replace("$members", _MEMBERS)

# Format argument: SQL of a jsonb. An array of scalars becomes its joined members. An object, or an
# array that holds an object or array, stays JSON; most often its first member already decides.
MERGED_JSON = """CASE jsonb_typeof({0})
 WHEN 'object' THEN {0}::text
 WHEN 'array' THEN CASE
  WHEN jsonb_typeof({0} -> 0) IN ('object', 'array')
   OR jsonb_path_exists({0}, 'strict $[*] ? (@.type() == "object" || @.type() == "array")')
  THEN {0}::text
  ELSE (SELECT coalesce($members, '') FROM (SELECT coalesce(member, '') AS member
   FROM jsonb_array_elements_text({0}) AS member) AS members) END
 ELSE {0} #>> '{{}}' END""".replace("$members", _MEMBERS)
