namespace Amalgam.Training;

/// <summary>A training run that cannot go on or be resumed. The message says where, what was found and what to do where that is known.</summary>
public sealed class TrainingException : Exception
{
    public TrainingException(string message) : base(message)
    {
    }

    public TrainingException(string message, Exception inner) : base(message, inner)
    {
    }

    public TrainingException()
    {
    }
}
