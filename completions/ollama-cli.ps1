# Completion of ollama-cli in PowerShell; printed by `ollama-cli completion powershell`.

Register-ArgumentCompleter -Native -CommandName ollama-cli -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    # Each word goes behind a dot, for PowerShell would leave out one that is empty.
    $before = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { ".$($_.Value)" } else { ".$_" } })
    $answer = @(& ollama-cli __complete powershell @before ".$wordToComplete" 2>$null)
    $answer | Select-Object -Skip 1 | ForEach-Object {
        $word, $about = $_ -split "`t", 2
        if (-not $about) { $about = $word }
        [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $about)
    }
}
