using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Training;

namespace Amalgam.Zoo.Runs;

/// <summary>Puts before the errors of some work where a file asks for it.</summary>
internal static class Located
{
    /// <summary>Does something that a place of a description asks for.</summary>
    /// <param name="place">File, line and column; null where it is described nowhere.</param>
    /// <param name="what">The work.</param>
    /// <param name="name">What the place is about; null where the errors say it.</param>
    public static T At<T>(string? place, Func<T> what, string? name = null)
    {
        string Text(Exception e) => place is not null && Begins(e.Message, place) ? e.Message : $"{(place is null ? "" : $"{place}: ")}{(name is null ? "" : $"{name}: ")}{e.Message}";
        try
        {
            return what();
        }
        catch (GraphException e)
        {
            throw new GraphException(Text(e), e);
        }
        catch (TrainingException e)
        {
            throw new TrainingException(Text(e), e);
        }
        catch (FileNotFoundException e)
        {
            throw new FileNotFoundException(Text(e), e.FileName, e);
        }
        catch (Exception e) when (e is InvalidDataException or MergeException)
        {
            throw new InvalidDataException(Text(e), e);
        }
    }

    /// <summary>Whether a message names a place in the same file already, which is nearer.</summary>
    private static bool Begins(string message, string place)
    {
        string file = place[..(place[..place.LastIndexOf(':')].LastIndexOf(':') + 1)];
        return message.Length > file.Length && message.StartsWith(file, StringComparison.Ordinal) && char.IsAsciiDigit(message[file.Length]);
    }
}
