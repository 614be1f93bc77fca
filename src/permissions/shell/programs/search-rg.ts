// The options of ripgrep that change what is searched or shown. --debug and --trace show lines of ignore files.

/** Short options with a value. */
export const RG_VALUES = "ABCdeEfgjmMrtT";

/** Options in pairs are listed with their opposite, as ripgrep has them. */
export const RG_LONG = `after-context= before-context= context= max-depth= maxdepth= regexp= encoding= no-encoding file= glob=
  iglob= glob-case-insensitive no-glob-case-insensitive threads= max-count= max-columns= max-columns-preview
  no-max-columns-preview replace= type= type-not= type-add= type-clear= type-list files files-with-matches
  files-without-match fixed-strings no-fixed-strings ignore-case smart-case case-sensitive word-regexp line-regexp
  invert-match no-invert-match count count-matches include-zero no-include-zero line-number no-line-number with-filename
  no-filename byte-offset no-byte-offset column no-column heading no-heading pretty color= colors= context-separator=
  no-context-separator field-context-separator= field-match-separator= path-separator= only-matching quiet multiline
  no-multiline multiline-dotall no-multiline-dotall pcre2 no-pcre2 engine= auto-hybrid-regex no-auto-hybrid-regex text
  no-text binary no-binary unrestricted hidden no-hidden ignore no-ignore no-ignore-dot ignore-dot no-ignore-exclude
  ignore-exclude no-ignore-files ignore-files no-ignore-global ignore-global no-ignore-messages ignore-messages
  no-ignore-parent ignore-parent no-ignore-vcs ignore-vcs no-require-git require-git ignore-file=
  ignore-file-case-insensitive no-ignore-file-case-insensitive one-file-system no-one-file-system no-follow follow max-filesize= null
  null-data crlf no-crlf sort= sortr= sort-files no-sort-files stats no-stats json no-json vimgrep trim no-trim passthru
  passthrough line-buffered no-line-buffered block-buffered no-block-buffered mmap no-mmap messages no-messages
  no-config no-search-zip no-pre dfa-size-limit= regex-size-limit= unicode no-unicode pcre2-unicode no-pcre2-unicode
  stop-on-nonmatch pcre2-version generate= version help`;
