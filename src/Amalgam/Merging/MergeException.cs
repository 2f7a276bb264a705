namespace Amalgam.Merging;

/// <summary>A merge that cannot be done as asked. The message says where, what was found, what was expected, and what to do where that is known.</summary>
public sealed class MergeException : Exception
{
    public MergeException(string message) : base(message)
    {
    }

    public MergeException(string message, Exception inner) : base(message, inner)
    {
    }

    public MergeException()
    {
    }
}
