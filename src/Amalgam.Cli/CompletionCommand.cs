using System.CommandLine;

namespace Amalgam.Cli;

/// <summary><c>amalgam completion</c>: scripts that let a shell complete amalgam's verbs, options and method names by asking amalgam itself.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # amalgam: completion for bash
        _amalgam() {
            local line="${COMP_LINE:0:COMP_POINT}" word="${COMP_WORDS[COMP_CWORD]}" IFS=$'\n'
            COMPREPLY=($(compgen -W "$(amalgam "[suggest:${#line}]" "$line" 2>/dev/null)" -- "$word"))
        }
        complete -o default -F _amalgam amalgam
        """;

    private const string Zsh = """
        #compdef amalgam
        # amalgam: completion for zsh
        _amalgam() {
            local line="${BUFFER[1,CURSOR]}"
            local -a found
            found=("${(@f)$(amalgam "[suggest:${#line}]" "$line" 2>/dev/null)}")
            compadd -a found
            _files
        }
        compdef _amalgam amalgam
        """;

    private const string Fish = """
        # amalgam: completion for fish
        function __amalgam_complete
            set -l line (commandline -cp)
            amalgam "[suggest:"(string length -- $line)"]" "$line" 2>/dev/null
        end
        complete -c amalgam -a "(__amalgam_complete)"
        """;

    private const string Pwsh = """
        # amalgam: completion for PowerShell
        Register-ArgumentCompleter -Native -CommandName amalgam -ScriptBlock {
            param($word, $ast, $position)
            $line = $ast.ToString().PadRight($position).Substring(0, $position)
            amalgam "[suggest:$position]" "$line" 2>$null | Where-Object { $_ -like "$word*" } | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
            }
        }
        """;

    public static Command Create()
    {
        Argument<string> shell = new("shell") { Description = "The shell that the script is for" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish", "pwsh");
        Verb verb = new(
            "completion", "Print a script with which a shell completes amalgam's verbs, options and method names.",
            [
                "source <(amalgam completion bash)                       # this session; put it into ~/.bashrc",
                "amalgam completion zsh > ~/.zfunc/_amalgam",
                "amalgam completion fish > ~/.config/fish/completions/amalgam.fish",
                "amalgam completion pwsh | Out-String | Invoke-Expression",
            ])
        {
            shell,
        };
        verb.Runs((parse, _) => parse.InvocationConfiguration.Output.WriteLine(parse.GetValue(shell) switch
        {
            "bash" => Bash,
            "zsh" => Zsh,
            "fish" => Fish,
            _ => Pwsh,
        }));
        return verb;
    }
}
