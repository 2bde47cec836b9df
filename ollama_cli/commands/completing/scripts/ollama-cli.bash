# Completion of ollama-cli in bash; printed by `ollama-cli completion bash`.

_ollama_cli_completion() {
  # Where the command was typed as a path, that one is asked; an alias or another name stands for ollama-cli.
  local program=ollama-cli kind='' line
  if [[ ${1-} == */* ]]; then
    program=${1//\\/}
    program=${program/#\~\//${HOME-}/}
  fi
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ -n $kind ]]; then COMPREPLY+=("$line"); else kind=$line; fi
  done < <(printf '%s\0' "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" | "$program" __complete bash 2>/dev/null)
  if [[ $kind == files*@ ]]; then
    # To readline the @ is a part of the file's name, so the files are found here; those that need quotes are left out.
    while IFS= read -r line; do
      if [[ $line == "$(printf %q "$line")" ]]; then
        if [[ -d $line ]]; then line+=/; fi
        COMPREPLY+=("@$line")
      fi
    done < <(compgen -f -- "${2#@}")
    if [[ ${COMPREPLY[0]-} == */ ]]; then
      compopt -o nospace 2>/dev/null
    fi
    return 0
  fi
  if [[ $kind == files* ]]; then
    return 0 # no word fits, so readline completes the file
  fi
  # bash 3 has no compopt: there a file is completed where no word fits, and a blank stands after every word.
  compopt +o default 2>/dev/null
  if [[ ${COMPREPLY[0]-} == *= ]]; then
    compopt -o nospace 2>/dev/null
  fi
  return 0
}

complete -o default -F _ollama_cli_completion ollama-cli
