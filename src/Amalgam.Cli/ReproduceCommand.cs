using System.CommandLine;

namespace Amalgam.Cli;

/// <summary><c>amalgam reproduce</c>: the experiments of papers, run anew.</summary>
internal static class ReproduceCommand
{
    public static Command Create() => new Verb(
        "reproduce", "Run a paper's experiments anew: train networks, merge them, put each method to the test, and write rows (JSON lines), tables (Markdown) and a page.",
        [
            "amalgam reproduce cki --table 1 --dataset beauty",
            "amalgam reproduce mudsc --part published",
            "amalgam reproduce clafusion --table 10",
            "amalgam reproduce mergenet --table 1",
            "amalgam reproduce mudsc --help                 # the parts, and what can be set",
        ])
    {
        ReproduceCki.Create(), ReproduceMudsc.Create(), ReproduceClafusion.Create(), ReproduceMergenet.Create(),
    };
}
