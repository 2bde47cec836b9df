# Completion of ollama-cli in PowerShell; printed by `ollama-cli completion powershell`.

Register-ArgumentCompleter -Native -CommandName ollama-cli -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { "$_" } })
    $words += $wordToComplete
    $answer = @(($words -join "`0") + "`0" | & ollama-cli __complete powershell 2>$null)
    $answer | Select-Object -Skip 1 | ForEach-Object {
        $word, $about = $_ -split "`t", 2
        if (-not $about) { $about = $word }
        [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $about)
    }
}
