const notJson =
  'what starts with { must be JSON: a file that was cut off or typed wrongly must not be read in part';
const cutOff = 'a text that was cut off must not be read as if it were whole';

/** Texts that we read otherwise than the parser of Vault and OpenBao, and why. */
export const onPurpose: Readonly<Record<string, string>> = {
  '{"a":1,}': notJson,
  '{"a":[1,]}': notJson,
  '{"a":1': notJson,
  '{"a":1} x': notJson,
  '{"a":"x" "b":2}': notJson,
  '{': notJson,
  'a =': cutOff,
  '{"path":null}': 'null stays null: as an empty text it would pass for a value that somebody wrote',
  '{"a":null}': 'null stays null: as an empty text it would pass for a value that somebody wrote',
  '{"a":[null]}': 'null stays null, in lists too',
  '{"a":[[1,2],[3]]}': 'lists of lists are JSON, and the HCL form takes them as well',
  'a = [,]': 'a comma separates two values',
  'a = [1,,2]': 'a comma separates two values',
  'a = 99999999999999999999': 'theirs panics; a number that large is rounded here',
  'a = <<EOF\nb\nEOF': 'editors leave out the last line break, and nothing is missing then',
  '\ufeffa = 1': 'editors on Windows put a byte order mark in front',
};
