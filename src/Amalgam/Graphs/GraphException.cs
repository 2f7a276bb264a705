namespace Amalgam.Graphs;

/// <summary>A graph that cannot be built, run or changed as asked. The message says which node, what was found, what was expected, and what to do where that is known.</summary>
public sealed class GraphException : Exception
{
    public GraphException(string message) : base(message)
    {
    }

    public GraphException(string message, Exception inner) : base(message, inner)
    {
    }

    public GraphException()
    {
    }
}
