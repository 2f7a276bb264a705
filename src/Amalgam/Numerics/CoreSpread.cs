using System.Runtime.ExceptionServices;

namespace Amalgam.Numerics;

/// <summary>
/// Threads of their own for the computations of one thread, however few cores there are and whoever else computes. For tests of what must not depend on threads: with
/// <see cref="Cores.Limit"/> alone a machine of one core, or a moment in which the threads are taken, would compare a computation with itself.
/// </summary>
/// <param name="threads">Threads of a computation, the caller's among them.</param>
/// <param name="before">What is put back in the end.</param>
internal sealed class CoreSpread(int threads, CoreSpread? before) : IDisposable
{
    public int Threads => threads;

    /// <summary>Computations that were split so far.</summary>
    public int Splits { get; private set; }

    public void Dispose() => Cores.Restore(before);

    /// <summary>Every thread has its share of the parts, whichever of them is quick.</summary>
    /// <returns>True: it is done.</returns>
    public bool Run<TState>(int parts, int most, TState state, Action<TState, int> body)
    {
        Splits++;
        int several = Math.Min(parts, most);
        ExceptionDispatchInfo? failure = null;
        Thread[] others = [.. Enumerable.Range(1, several - 1).Select(first => new Thread(() => Share(first)))];
        foreach (Thread other in others) other.Start();
        Share(0);
        foreach (Thread other in others) other.Join();
        failure?.Throw();
        return true;

        void Share(int first)
        {
            using CoreLimit alone = Cores.Limit(1);
            try
            {
                for (int part = first; part < parts; part += several) body(state, part);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(e), null);
            }
        }
    }
}
