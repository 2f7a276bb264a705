namespace Amalgam.Cli;

/// <summary>What the place is like that text goes to.</summary>
internal static class Screen
{
    private const int UsualWidth = 80;

    /// <summary>Columns of the terminal behind an output; null for a file, a pipe or a test, where lines may be as long as they need.</summary>
    public static int? WidthOf(TextWriter output)
    {
        if (!ReferenceEquals(output, Console.Out) || Console.IsOutputRedirected) return null;
        return Console.WindowWidth > 0 ? Console.WindowWidth : UsualWidth;
    }

    /// <summary>Whether errors and progress go to a terminal that can rewrite a line.</summary>
    public static bool CanRewrite(TextWriter error) =>
        ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not "dumb";
}
