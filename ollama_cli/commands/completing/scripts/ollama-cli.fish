# Completion of ollama-cli in fish; printed by `ollama-cli completion fish`.

function __ollama_cli_complete
    # Where the command was typed as a path, that one is asked; another name stands for ollama-cli.
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l program ollama-cli
    if string match --quiet '*/*' -- $words[1]
        set program (string replace --regex '^~/' "$HOME/" -- $words[1])
    end
    command --query $program; or return # fish would tell of it in the middle of the line
    set --erase words[1]
    set -l token (commandline --current-token --cut-at-cursor)
    set -l word (string unescape -- $token; or string trim --left --chars '\'"' -- $token)
    set -l answer (printf '%s\0' $words "$word" | $program __complete fish 2>/dev/null)
    if string match --quiet 'files*' -- $answer[1]
        set -l before (string replace 'files ' '' -- $answer[1])
        set -l written (string sub --start (math 1 + (string length -- "$before")) -- "$word")
        for path in (__fish_complete_path "$written")
            printf '%s%s\n' "$before" $path
        end
    else
        printf '%s\n' $answer[2..]
    end
end

complete --command ollama-cli --no-files --keep-order --arguments '(__ollama_cli_complete)'
