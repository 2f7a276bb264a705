using System.Buffers.Binary;

namespace Amalgam.Zoo.Data;

/// <summary>
/// The format of the MNIST files: two zero bytes, a type (0x08, bytes), the number of axes, the axes' sizes as big-endian 32-bit integers, then the elements
/// (Y. LeCun, C. Cortes, C. Burges, THE MNIST DATABASE of handwritten digits).
/// </summary>
internal static class Idx
{
    private const byte Bytes = 8;
    private const int Prefix = 4;

    /// <summary>Reads a file of bytes.</summary>
    /// <param name="path">The file, plain or packed by gzip.</param>
    /// <param name="rank">Axes that it must have.</param>
    /// <exception cref="InvalidDataException">It is not what it claims.</exception>
    public static (int[] Sizes, byte[] Data) Read(string path, int rank)
    {
        byte[] file = DataFile.ReadAll(path);
        if (file.Length < Prefix || file[0] != 0 || file[1] != 0) throw DataFile.Invalid(path, "it is no IDX file, which begins with two zero bytes");
        if (file[2] != Bytes) throw DataFile.Invalid(path, $"its elements are of IDX type 0x{file[2]:X2}, expected 0x08 (bytes)");
        if (file[3] != rank) throw DataFile.Invalid(path, $"it has {file[3]} axes (magic {BinaryPrimitives.ReadInt32BigEndian(file)}), expected {rank} (magic {(Bytes << 8) + rank})");
        int begin = Prefix + rank * sizeof(int);
        if (file.Length < begin) throw DataFile.Invalid(path, $"it has {file.Length} bytes, its header alone takes {begin}");
        int[] sizes = new int[rank];
        decimal expected = 1;
        for (int axis = 0; axis < rank; axis++)
        {
            sizes[axis] = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(Prefix + axis * sizeof(int)));
            if (sizes[axis] < 0) throw DataFile.Invalid(path, $"its axis {axis} has the size {sizes[axis]}");
            expected *= sizes[axis];
        }

        if (expected != file.Length - begin) throw DataFile.Invalid(path, $"its axes {string.Join(" x ", sizes)} take {expected} bytes, it has {file.Length - begin}");
        return (sizes, file[begin..]);
    }
}
