using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Amalgam.Zoo.Runs;

/// <summary>
/// Descriptions as people write them: a number is a number and a list a list. <see cref="RunYaml"/> has them as texts, and what it writes tells runs from others, so that it stays as it is.
/// </summary>
internal static partial class ReadableYaml
{
    /// <summary>Keys whose values are names and paths, which may look like a list. Others that have such a text are arguments of architectures, data sets and methods.</summary>
    private static readonly string[] Texts = ["name", "weights", "freeze", "output", "class_vectors", "target", "teachers", "no_decay", "match", "model", "matrix"];

    /// <summary>The same description, which reads as the same run.</summary>
    /// <param name="yaml">What <see cref="RunYaml"/> or <see cref="TransferYaml"/> wrote.</param>
    public static string Of(string yaml)
    {
        StringBuilder text = new(yaml.Length);
        string key = "";
        for (int i = 0; i < yaml.Length;)
        {
            int end = yaml[i] == '\'' ? EndOfQuote(yaml, i) : EndOfWord(yaml, i);
            string token = yaml[i..end];
            bool isKey = end < yaml.Length && yaml[end] == ':';
            if (isKey) key = token;
            text.Append(isKey ? token : token[0] == '\'' ? Unquoted(token, key) : Number(token));
            i = end;
        }

        return text.ToString();
    }

    private static int EndOfQuote(string yaml, int begin)
    {
        int i = begin + 1;
        while (i < yaml.Length && (yaml[i] != '\'' || (i + 1 < yaml.Length && yaml[i + 1] == '\''))) i += yaml[i] == '\'' ? 2 : 1;
        return Math.Min(i + 1, yaml.Length);
    }

    private static int EndOfWord(string yaml, int begin)
    {
        const string Marks = " \n,[]{}:#";
        int i = begin + 1;
        if (!Marks.Contains(yaml[begin])) while (i < yaml.Length && !Marks.Contains(yaml[i]) && yaml[i] != '\'') i++;
        return i;
    }

    private static string Unquoted(string token, string key)
    {
        string value = token[1..^1];
        if (key == "name") return token;
        return Plain().IsMatch(value) ? value : List().IsMatch(value) && !Texts.Contains(key) ? $"[{value.Replace(",", ", ")}]" : token;
    }

    private static string Number(string token) =>
        Scientific().IsMatch(token) && double.TryParse(token, CultureInfo.InvariantCulture, out double number) ? number.ToString("0.#################e+0", CultureInfo.InvariantCulture).Replace("e+", "e") : token;

    [GeneratedRegex(@"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?$")]
    private static partial Regex Plain();

    [GeneratedRegex(@"^(0|[1-9][0-9]{0,14})(,(0|[1-9][0-9]{0,14}))+$")]
    private static partial Regex List();

    [GeneratedRegex(@"^-?[0-9](\.[0-9]+)?E[+-][0-9]+$")]
    private static partial Regex Scientific();
}
