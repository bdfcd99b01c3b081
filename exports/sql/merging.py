"""Merging: SQL that shows what has members as one text.

A member that holds a comma or a double quote stands in double quotes, its own ones doubled, as in
CSV. So what is joined can be parted again.
"""

MEMBER = """CASE WHEN strpos({0}, ',') > 0 OR strpos({0}, '"') > 0
 THEN '"' || replace({0}, '"', '""') || '"' ELSE {0} END"""
_MEMBERS = f"string_agg({MEMBER.replace('{0}', 'member')}, ', ')"

# Only few lists need quotes, and only for them are the members taken apart.
MERGED_LIST = """CASE WHEN array_to_string({0}, '', '') ~ '[",]'
 THEN (SELECT $members
  FROM (SELECT coalesce(member::text, '') AS member FROM unnest({0}) AS member) AS members)
 ELSE array_to_string({0}, ', ', '') END""".replace("$members", _MEMBERS)

# An array of scalars is its members joined; anything with structure stays JSON, which most often
# the first member tells.
MERGED_JSON = """CASE jsonb_typeof({0})
 WHEN 'object' THEN {0}::text
 WHEN 'array' THEN CASE
  WHEN jsonb_typeof({0} -> 0) IN ('object', 'array')
   OR jsonb_path_exists({0}, 'strict $[*] ? (@.type() == "object" || @.type() == "array")')
  THEN {0}::text
  ELSE (SELECT coalesce($members, '') FROM (SELECT coalesce(member, '') AS member
   FROM jsonb_array_elements_text({0}) AS member) AS members) END
 ELSE {0} #>> '{{}}' END""".replace("$members", _MEMBERS)
