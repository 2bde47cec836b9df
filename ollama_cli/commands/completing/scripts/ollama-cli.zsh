#compdef ollama-cli
# Completion of ollama-cli in zsh; printed by `ollama-cli completion zsh`.

_ollama_cli() {
  # Where the command was typed as a path, that one is asked; another name stands for ollama-cli.
  local program=ollama-cli kind='' line word about entry
  case $words[1] in
    ('~/'*) program=${HOME-}/${(Q)words[1]#'~/'} ;;
    (*/*) program=${(Q)words[1]} ;;
  esac
  local -a plain unfinished # a word that ends in = goes on, so no blank follows it
  while IFS= read -r line; do
    if [[ -z $kind ]]; then
      kind=$line
      continue
    fi
    word=${line%%$'\t'*} about=${line#*$'\t'}
    entry=${word//:/\\:}${about:+:$about}
    if [[ $word == *= ]]; then unfinished+=("$entry"); else plain+=("$entry"); fi
  done < <(printf '%s\0' "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" | "$program" __complete zsh 2>/dev/null)
  if [[ $kind == files* ]]; then
    [[ -n ${kind#files } ]] && compset -P "${(b)kind#files }"
    _files
    return
  fi
  local found=1
  _describe -V -t values 'ollama-cli' plain && found=0
  _describe -V -t values 'ollama-cli' unfinished -S '' && found=0
  return found
}

if [[ $funcstack[1] == _ollama-cli ]]; then
  _ollama_cli "$@" # as a file of fpath it is loaded by the first Tab, which has then to complete as well
elif (( $+functions[compdef] )); then
  compdef _ollama_cli ollama-cli
fi
